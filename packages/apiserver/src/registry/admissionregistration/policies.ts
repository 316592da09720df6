// What validating and mutating policies have in common.

import type { KubeObject } from '@keelson/apimachinery';
import type {
  MatchCondition,
  MatchResources,
  ParamKind,
  Variable,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../generation.ts';
import { age, unsetText } from '../printing/cells.ts';
import type { Strategy } from '../strategy.ts';
import type { Errors } from '../validation/checks.ts';
import { isSemanticallyEqual } from '../validation/equality.ts';
import type { ExpressionChecker } from '../validation/expression-checker.ts';
import { defaultMatchResources } from './match-resources.ts';
import type { PolicyExpressions } from './policy-expressions.ts';

interface Policy extends KubeObject {
  readonly spec: {
    failurePolicy?: string;
    readonly paramKind?: ParamKind;
    readonly matchConstraints?: MatchResources;
    readonly matchConditions?: readonly MatchCondition[];
    readonly variables?: readonly Variable[];
  };
}

export interface PolicyRules<T extends Policy> {
  readonly checker: ExpressionChecker;
  /** How many things the policy does, for the table. */
  size(policy: T): number;
  /** The expressions that only this kind has. */
  expressionsOf(policy: T): readonly string[];
  validate(errors: Errors, policy: T, expressions: PolicyExpressions): void;
}

export function policyStrategy<T extends Policy>(rules: PolicyRules<T>): Strategy<T> {
  const validate = (policy: T, old?: T): Errors => {
    const errors: Errors = [];
    rules.validate(errors, policy, beginExpressions(rules, policy, old));
    return errors;
  };
  return {
    applyDefaults({ spec }) {
      spec.failurePolicy ??= 'Fail';
      defaultMatchResources(spec.matchConstraints);
    },
    prepareForCreate: startGeneration,
    prepareForUpdate: (policy, old) =>
      advanceGeneration(policy, old, !isSemanticallyEqual(policy.spec, old.spec)),
    validate: (policy) => validate(policy),
    validateUpdate: (policy, old) => validate(policy, old),
    allowUnconditionalUpdate: false,
    allowsBareFinalizers: true,
    tableCells: (policy, nowMs) => {
      const { paramKind } = policy.spec;
      return [
        policy.metadata.name,
        rules.size(policy),
        paramKind ? `${paramKind.apiVersion}/${paramKind.kind}` : unsetText,
        age(policy, nowMs),
      ];
    },
  };
}

function beginExpressions<T extends Policy>(
  { checker, expressionsOf }: PolicyRules<T>,
  { spec }: T,
  old: T | undefined,
): PolicyExpressions {
  return {
    session: checker.begin({
      hasParams: spec.paramKind !== undefined,
      hasVariables: (spec.variables ?? []).length > 0,
    }),
    stored: new Set([
      ...(old?.spec.matchConditions ?? []).map((condition) => condition.expression.trim()),
      ...(old?.spec.variables ?? []).map((variable) => variable.expression),
      ...(old === undefined ? [] : expressionsOf(old)),
    ]),
  };
}
