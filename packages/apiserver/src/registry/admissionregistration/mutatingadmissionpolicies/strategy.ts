// MutatingAdmissionPolicies: CEL expressions that change objects before they are stored.

import { fieldError } from '@keelson/apimachinery';
import type {
  MutatingAdmissionPolicy,
  Mutation,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { Strategy } from '../../strategy.ts';
import { oneOf, required, type Errors } from '../../validation/checks.ts';
import type { ExpressionChecker } from '../../validation/expression-checker.ts';
import { validateMatchConstraints } from '../match-resources.ts';
import { policyStrategy } from '../policies.ts';
import {
  checkExpression,
  validateMatchConditions,
  validateParamKind,
  validateVariables,
  type PolicyExpressions,
} from '../policy-expressions.ts';
import { failurePolicies, reinvocationPolicies, requiredChoice } from '../rules.ts';

export function createMutatingAdmissionPolicyStrategy(
  checker: ExpressionChecker,
): Strategy<MutatingAdmissionPolicy> {
  return policyStrategy({
    checker,
    size: ({ spec }) => spec.mutations?.length ?? 0,
    expressionsOf: ({ spec }) =>
      (spec.mutations ?? []).flatMap(({ applyConfiguration, jsonPatch }) => [
        applyConfiguration?.expression ?? '',
        jsonPatch?.expression ?? '',
      ]),
    validate: validatePolicy,
  });
}

function validatePolicy(
  errors: Errors,
  { spec }: MutatingAdmissionPolicy,
  expressions: PolicyExpressions,
): void {
  requiredChoice(errors, 'spec.failurePolicy', spec.failurePolicy, failurePolicies);
  if (spec.paramKind) validateParamKind(errors, 'spec.paramKind', spec.paramKind);
  validateMatchConstraints(errors, 'spec.matchConstraints', spec.matchConstraints);
  validateOperations(errors, spec.matchConstraints?.resourceRules);
  validateMatchConditions(errors, 'spec.matchConditions', spec.matchConditions, expressions);
  if (required(errors, 'spec.reinvocationPolicy', spec.reinvocationPolicy)) {
    oneOf(errors, 'spec.reinvocationPolicy', spec.reinvocationPolicy, reinvocationPolicies);
  }
  validateVariables(errors, 'spec.variables', spec.variables, expressions);
  const mutations = spec.mutations ?? [];
  if (mutations.length === 0) {
    const why = 'mutations must contain at least one item';
    errors.push(fieldError.required('spec.mutations', why));
  }
  mutations.forEach((mutation, i) =>
    validateMutation(errors, `spec.mutations[${i}]`, mutation, expressions),
  );
}

const mutableOperations: readonly string[] = ['*', 'CONNECT', 'CREATE', 'UPDATE'];

/** There is nothing to change in what is deleted. COMPAT: the path names no index. */
function validateOperations(
  errors: Errors,
  rules: readonly { readonly operations?: readonly string[] }[] | undefined,
): void {
  for (const rule of rules ?? []) {
    for (const operation of rule.operations ?? []) {
      const path = 'spec.matchConstraints.resourceRules.operations';
      oneOf(errors, path, operation, mutableOperations);
    }
  }
}

const patchFields = {
  ApplyConfiguration: { field: 'applyConfiguration', use: 'apply-configuration' },
  JSONPatch: { field: 'jsonPatch', use: 'json-patch' },
} as const;

function validateMutation(
  errors: Errors,
  path: string,
  mutation: Mutation,
  expressions: PolicyExpressions,
): void {
  const { patchType } = mutation;
  if (!required(errors, `${path}.patchType`, patchType)) return;
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    oneOf(errors, `${path}.patchType`, patchType, Object.keys(patchFields));
    return;
  }
  const { field, use } = patchFields[patchType];
  const other = patchType === 'JSONPatch' ? 'applyConfiguration' : 'jsonPatch';
  const patch = mutation[field];
  if (patch) {
    const at = `${path}.${field}.expression`;
    const { expression = '' } = patch;
    if (expression.trim() === '') errors.push(fieldError.required(at));
    else checkExpression(errors, expressions, { path: at, expression, use });
  } else {
    const why = `must be specified when patchType is ${patchType}`;
    errors.push(fieldError.required(`${path}.${field}`, why));
  }
  if (mutation[other] !== undefined) {
    const why = `must not be specified when patchType is ${patchType}`;
    errors.push(fieldError.invalid(`${path}.${other}`, `{${other}}`, why));
  }
}
