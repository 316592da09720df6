// The strategies of the policy group, by resource.

import type { Strategy } from '../strategy.ts';
import { podDisruptionBudgetStrategy } from './poddisruptionbudgets/strategy.ts';

export const policyStrategies: Readonly<Record<string, Strategy>> = {
  poddisruptionbudgets: podDisruptionBudgetStrategy,
};
