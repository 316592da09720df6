// The strategies of the core group, by resource.

import type { Strategy } from '../strategy.ts';
import { serviceStrategy } from './services/strategy.ts';

export const coreStrategies: Readonly<Record<string, Strategy>> = {
  services: serviceStrategy,
};
