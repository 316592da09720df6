// The strategies of the networking.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { ingressClassStrategy } from './ingressclasses/strategy.ts';
import { ingressStrategy } from './ingresses/strategy.ts';
import { ipAddressStrategy } from './ipaddresses/strategy.ts';
import { networkPolicyStrategy } from './networkpolicies/strategy.ts';
import { serviceCidrStrategy } from './servicecidrs/strategy.ts';

export const networkingStrategies: Readonly<Record<string, Strategy>> = {
  ingressclasses: ingressClassStrategy,
  ingresses: ingressStrategy,
  ipaddresses: ipAddressStrategy,
  networkpolicies: networkPolicyStrategy,
  servicecidrs: serviceCidrStrategy,
};
