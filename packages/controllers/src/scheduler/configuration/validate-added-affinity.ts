// The rules for the affinity that a configuration adds to every pod: a pod's own is checked by the
// API, this one by nobody else. Terms that select nothing are not looked at.

import {
  fieldError,
  labelRequirementErrors,
  type FieldError,
  type LabelOperator,
} from '@keelson/apimachinery';
import type {
  NodeAffinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
} from '@keelson/apimachinery/types/core.v1';

export function addedAffinityErrors(affinity: NodeAffinity): FieldError[] {
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const path = (rest: string) => `addedAffinity.${rest}DuringSchedulingIgnoredDuringExecution`;
  return [
    ...required.flatMap((term, i) =>
      termErrors(`${path('required')}.nodeSelectorTerms[${i}]`, term),
    ),
    ...preferred.flatMap(({ weight, preference }, i) =>
      weight === 0 ? [] : termErrors(`${path('preferred')}[${i}]`, preference),
    ),
  ];
}

function termErrors(
  path: string,
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
): FieldError[] {
  return [
    ...matchExpressions.flatMap((r, i) => labelErrors(`${path}.matchExpressions[${i}]`, r)),
    ...matchFields.flatMap((r, i) => nameErrors(`${path}.matchFields[${i}]`, r)),
  ];
}

const operators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
};

function labelErrors(
  path: string,
  { key, operator, values = [] }: NodeSelectorRequirement,
): FieldError[] {
  const known = operators[operator];
  if (known === undefined)
    return [fieldError.notSupported(`${path}.operator`, operator, Object.keys(operators))];
  return labelRequirementErrors(key, known, values).map((error) => ({
    ...error,
    path: `${path}.${error.path}`,
  }));
}

function nameErrors(
  path: string,
  { operator, values = [] }: NodeSelectorRequirement,
): FieldError[] {
  if (operator !== 'In' && operator !== 'NotIn')
    return [fieldError.notSupported(`${path}.operator`, operator, ['In', 'NotIn'])];
  if (values.length === 1) return [];
  return [fieldError.invalid(`${path}.values`, values, 'must have one element')];
}
