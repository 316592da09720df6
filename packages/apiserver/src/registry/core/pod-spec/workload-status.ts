// Counters in the status of workloads: never negative, and parts not larger than the whole.

import { fieldError } from '@keelson/apimachinery';
import { nonNegative, type Errors, type Integer } from '../../validation/checks.ts';

type Counters = Readonly<Record<string, unknown>>;

const counter = (status: Counters, field: string): Integer => {
  const value = status[field];
  return typeof value === 'number' || typeof value === 'bigint' ? value : 0;
};

/** Each field, where it is there, is not negative. */
export function nonNegativeCounters(
  errors: Errors,
  status: object,
  fields: readonly string[],
): void {
  const counters: Counters = { ...status };
  for (const field of fields) nonNegative(errors, `status.${field}`, counter(counters, field));
}

/** Each field is at most `status.replicas`; available pods are ready ones. */
export function withinReplicas(errors: Errors, status: object, fields: readonly string[]): void {
  const counters: Counters = { ...status };
  for (const field of fields) {
    const value = counter(counters, field);
    if (value <= counter(counters, 'replicas')) continue;
    errors.push(
      fieldError.invalid(`status.${field}`, value, 'cannot be greater than status.replicas'),
    );
  }
  const available = counter(counters, 'availableReplicas');
  if (available > counter(counters, 'readyReplicas')) {
    const why = 'cannot be greater than readyReplicas';
    errors.push(fieldError.invalid('status.availableReplicas', available, why));
  }
}

/** The count of name collisions only grows, for names are made from it. */
export function collisionCountGrows(
  errors: Errors,
  now: number | undefined,
  before: number | undefined,
): void {
  if (before === undefined || (now !== undefined && now >= before)) return;
  const at = 'status.collisionCount';
  errors.push(fieldError.invalid(at, now ?? null, 'cannot be decremented'));
}
