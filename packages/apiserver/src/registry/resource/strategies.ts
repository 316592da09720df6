// Strategies of resource.k8s.io by resource.

import type { Strategy } from '../strategy.ts';
import { uncheckedExpressions, type ExpressionChecker } from '../validation/expression-checker.ts';
import { createDeviceClassStrategy } from './deviceclasses/strategy.ts';
import { deviceTaintRuleStrategy } from './devicetaintrules/strategy.ts';
import { createResourceClaimStrategy, type ClaimRules } from './resourceclaims/strategy.ts';
import { createResourceClaimTemplateStrategy } from './resourceclaimtemplates/strategy.ts';
import { resourcePoolStatusRequestStrategy } from './resourcepoolstatusrequests/strategy.ts';
import { resourceSliceStrategy } from './resourceslices/strategy.ts';

export function createResourceStrategies(
  checker: ExpressionChecker,
  rules: ClaimRules,
): Readonly<Record<string, Strategy>> {
  return {
    deviceclasses: createDeviceClassStrategy(checker) as Strategy,
    devicetaintrules: deviceTaintRuleStrategy as Strategy,
    resourceclaims: createResourceClaimStrategy(checker, rules) as Strategy,
    resourceclaimtemplates: createResourceClaimTemplateStrategy(checker, rules) as Strategy,
    resourcepoolstatusrequests: resourcePoolStatusRequestStrategy as Strategy,
    resourceslices: resourceSliceStrategy as Strategy,
  };
}

/** Expressions are accepted as they are, and everybody may write a status or administer devices. */
export const resourceStrategies: Readonly<Record<string, Strategy>> = createResourceStrategies(
  uncheckedExpressions,
  { guardStatus: () => Promise.resolve([]), adminAccess: () => [] },
);
