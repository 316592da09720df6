// When an indexed Job counts as done although not every index has succeeded.

import { fieldError } from '@keelson/apimachinery';
import type { JobSpec, SuccessPolicyRule } from '@keelson/apimachinery/types/batch.v1';
import { internalValue } from '../../internal-form/internal-value.ts';
import { atMost, nonNegative, notLongerThan, type Errors } from '../../validation/checks.ts';
import { countIndexes } from './index-intervals.ts';

const rulesMax = 20;
const indexesBytesMax = 64 * 1024;
/** Stands in for the number of completions where that is missing, which is an error of its own. */
const indexesMax = 2 ** 31 - 1;

export function successPolicy(errors: Errors, path: string, spec: JobSpec): void {
  const policy = spec.successPolicy;
  if (!policy) return;
  if (spec.completionMode !== 'Indexed') {
    const shown = internalValue('io.k8s.api.batch.v1.SuccessPolicy', policy);
    errors.push(fieldError.invalid(path, shown, 'requires indexed completion mode'));
    return;
  }
  const rules = policy.rules ?? [];
  if (rules.length === 0) {
    const why = 'at least one rules must be specified when the successPolicy is specified';
    errors.push(fieldError.required(`${path}.rules`, why));
  }
  atMost(errors, `${path}.rules`, rules, rulesMax);
  rules.forEach((rule, i) => {
    successRule(errors, `${path}.rules[${i}]`, rule, spec.completions ?? indexesMax);
  });
}

function successRule(
  errors: Errors,
  path: string,
  { succeededIndexes, succeededCount }: SuccessPolicyRule,
  completions: number,
): void {
  if (succeededIndexes === undefined && succeededCount === undefined) {
    const why = 'at least one of succeededCount or succeededIndexes must be specified';
    errors.push(fieldError.required(path, why));
  }
  const indexes = succeededIndexes === undefined ? 0 : countIndexes(succeededIndexes, completions);
  if (succeededIndexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    notLongerThan(errors, at, succeededIndexes, indexesBytesMax);
    if (indexes instanceof Error) {
      const why = `error parsing succeededIndexes: ${indexes.message}`;
      errors.push(fieldError.invalid(at, succeededIndexes, why));
    }
  }
  if (succeededCount === undefined) return;
  const at = `${path}.succeededCount`;
  const tooMany = (limit: number, what: string) => {
    const why = `must be less than or equal to ${limit} (the number of ${what})`;
    if (succeededCount > limit) errors.push(fieldError.invalid(at, succeededCount, why));
  };
  nonNegative(errors, at, succeededCount);
  tooMany(completions, 'specified completions');
  if (succeededIndexes === undefined) return;
  const named = indexes instanceof Error ? 0 : indexes;
  tooMany(named, 'indexes in the specified succeededIndexes field');
}
