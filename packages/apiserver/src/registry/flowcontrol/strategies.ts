// The strategies of the flowcontrol.apiserver.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { flowSchemaStrategy } from './flowschemas/strategy.ts';
import { priorityLevelConfigurationStrategy } from './prioritylevelconfigurations/strategy.ts';

export const flowcontrolStrategies: Readonly<Record<string, Strategy>> = {
  flowschemas: flowSchemaStrategy as Strategy,
  prioritylevelconfigurations: priorityLevelConfigurationStrategy as Strategy,
};
