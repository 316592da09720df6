// What a Job does about pods that fail in a particular way: rules of an action and either exit
// codes or conditions of the pod.

import { fieldError, omittedValue } from '@keelson/apimachinery';
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
} from '@keelson/apimachinery/types/batch.v1';
import { atMost, conforms, oneOf, type Errors } from '../../validation/checks.ts';
import { qualifiedName } from '../../validation/names.ts';

const rulesMax = 20;
const patternsMax = 20;
const exitCodesMax = 255;

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'] as const;
const operators = ['In', 'NotIn'] as const;
const statuses = ['False', 'True', 'Unknown'] as const;

interface PolicyScope {
  readonly containerNames: ReadonlySet<string>;
  /** Failures are counted per index, so that an index can fail. */
  readonly countsPerIndex: boolean;
}

export function podFailurePolicy(errors: Errors, path: string, spec: JobSpec): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  atMost(errors, `${path}.rules`, rules, rulesMax);
  const { containers, initContainers } = spec.template.spec ?? {};
  const names = [...(containers ?? []), ...(initContainers ?? [])].map(({ name }) => name);
  const scope = {
    containerNames: new Set(names),
    countsPerIndex: spec.backoffLimitPerIndex !== undefined,
  };
  rules.forEach((rule, i) => failureRule(errors, `${path}.rules[${i}]`, rule, scope));
}

function failureRule(
  errors: Errors,
  path: string,
  rule: PodFailurePolicyRule,
  scope: PolicyScope,
): void {
  if (rule.action === 'FailIndex') {
    if (!scope.countsPerIndex) {
      const why = 'requires the backoffLimitPerIndex to be set';
      errors.push(fieldError.invalid(`${path}.action`, rule.action, why));
    }
  } else {
    givenOneOf(errors, `${path}.action`, rule.action, actions);
  }
  const patterns = rule.onPodConditions ?? [];
  if (rule.onExitCodes) {
    exitCodes(errors, `${path}.onExitCodes`, rule.onExitCodes, scope.containerNames);
  }
  if (patterns.length > 0) podConditions(errors, `${path}.onPodConditions`, patterns);
  if (rule.onExitCodes && patterns.length > 0) {
    const why = 'specifying both OnExitCodes and OnPodConditions is not supported';
    errors.push(fieldError.invalid(path, omittedValue, why));
  }
  if (!rule.onExitCodes && patterns.length === 0) {
    const why = 'specifying one of OnExitCodes and OnPodConditions is required';
    errors.push(fieldError.invalid(path, omittedValue, why));
  }
}

/** A missing value is told what there is to choose from, as Go prints a list. */
function givenOneOf(
  errors: Errors,
  path: string,
  value: string | undefined,
  supported: readonly string[],
): void {
  if (value) {
    oneOf(errors, path, value, supported);
    return;
  }
  const choices = supported.map((choice) => JSON.stringify(choice)).join(' ');
  errors.push(fieldError.required(path, `valid values: [${choices}]`));
}

function podConditions(
  errors: Errors,
  path: string,
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
): void {
  atMost(errors, path, patterns, patternsMax);
  patterns.forEach(({ type, status }, i) => {
    conforms(errors, `${path}[${i}].type`, type, qualifiedName);
    givenOneOf(errors, `${path}[${i}].status`, status, statuses);
  });
}

function exitCodes(
  errors: Errors,
  path: string,
  { operator, containerName, values }: PodFailurePolicyOnExitCodesRequirement,
  containerNames: ReadonlySet<string>,
): void {
  givenOneOf(errors, `${path}.operator`, operator, operators);
  if (containerName !== undefined && !containerNames.has(containerName)) {
    const why = 'must be one of the container or initContainer names in the pod template';
    errors.push(fieldError.invalid(`${path}.containerName`, containerName, why));
  }
  const at = `${path}.values`;
  const codes = values ?? [];
  if (codes.length === 0) {
    errors.push(fieldError.invalid(at, values, 'at least one value is required'));
  } else {
    atMost(errors, at, codes, exitCodesMax);
  }
  const seen = new Set<number>();
  codes.forEach((code, i) => {
    if (operator === 'In' && code === 0) {
      errors.push(fieldError.invalid(`${at}[${i}]`, code, 'must not be 0 for the In operator'));
    }
    if (seen.has(code)) errors.push(fieldError.duplicate(`${at}[${i}]`, code));
    seen.add(code);
  });
  const isOrdered = codes.every((code, i) => i === 0 || (codes[i - 1] ?? code) <= code);
  if (!isOrdered) errors.push(fieldError.invalid(at, values, 'must be ordered'));
}
