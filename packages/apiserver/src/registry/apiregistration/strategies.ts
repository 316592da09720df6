// The strategies of the apiregistration.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { apiServiceStrategy } from './apiservices/strategy.ts';

export const apiregistrationStrategies: Readonly<Record<string, Strategy>> = {
  apiservices: apiServiceStrategy as Strategy,
};
