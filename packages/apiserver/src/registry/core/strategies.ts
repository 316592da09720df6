// The strategies of the core group, by resource.

import type { Strategy } from '../strategy.ts';
import { componentStatusStrategy } from './componentstatuses/strategy.ts';
import { configMapStrategy } from './configmaps/strategy.ts';
import { endpointsStrategy } from './endpoints/strategy.ts';
import { eventStrategy } from './events/strategy.ts';
import { limitRangeStrategy } from './limitranges/strategy.ts';
import { namespaceStrategy } from './namespaces/strategy.ts';
import { nodeStrategy } from './nodes/strategy.ts';
import { persistentVolumeClaimStrategy } from './persistentvolumeclaims/strategy.ts';
import { persistentVolumeStrategy } from './persistentvolumes/strategy.ts';
import { podStrategies } from './pods/strategies.ts';
import { resourceQuotaStrategy } from './resourcequotas/strategy.ts';
import { secretStrategy } from './secrets/strategy.ts';
import { serviceAccountStrategy } from './serviceaccounts/strategy.ts';
import { serviceStrategy } from './services/strategy.ts';

export const coreStrategies: Readonly<Record<string, Strategy>> = {
  componentstatuses: componentStatusStrategy as Strategy,
  configmaps: configMapStrategy,
  endpoints: endpointsStrategy,
  events: eventStrategy,
  limitranges: limitRangeStrategy,
  namespaces: namespaceStrategy,
  nodes: nodeStrategy,
  persistentvolumeclaims: persistentVolumeClaimStrategy,
  persistentvolumes: persistentVolumeStrategy,
  ...podStrategies,
  resourcequotas: resourceQuotaStrategy,
  secrets: secretStrategy,
  serviceaccounts: serviceAccountStrategy,
  services: serviceStrategy,
};
