// Joins the results of all checks into one decision and its two texts: the short one for many pods
// (reasons only) and the long one for one pod (reasons with details).

import type { CheckResult } from './evaluate.ts';
import type { FieldError } from './field-error.ts';

export interface AggregateResult {
  readonly allowed: boolean;
  /** One per forbidding check, in order, never empty texts. */
  readonly reasons: readonly string[];
  /** Runs parallel to `reasons`; may hold empty texts. */
  readonly details: readonly string[];
  readonly fieldErrors: readonly FieldError[];
  /** `hostPort, privileged`. */
  forbiddenReason(): string;
  /** `hostPort (container "a" uses hostPort 80), privileged (container "a" must not …)`. */
  forbiddenDetail(): string;
}

/** COMPAT: stands in for the reason of a check that gave none. */
const unknownReason = 'unknown forbidden reason';

const nothingForbidden: AggregateResult = Object.freeze({
  allowed: true,
  reasons: Object.freeze([]),
  details: Object.freeze([]),
  fieldErrors: Object.freeze([]),
  forbiddenReason: () => '',
  forbiddenDetail: () => '',
});

/** Allowed when every check allows; an empty list, which is what privileged gives, is allowed. */
export function aggregate(results: readonly CheckResult[]): AggregateResult {
  const forbidden = results.some((result) => !result.allowed);
  if (!forbidden) return nothingForbidden;
  const reasons: string[] = [];
  const details: string[] = [];
  const fieldErrors: FieldError[] = [];
  for (const result of results) {
    if (result.allowed) continue;
    reasons.push(result.forbiddenReason === '' ? unknownReason : result.forbiddenReason);
    details.push(result.forbiddenDetail);
    fieldErrors.push(...result.fieldErrors);
  }
  return {
    allowed: false,
    reasons,
    details,
    fieldErrors,
    forbiddenReason: () => reasons.join(', '),
    forbiddenDetail: () =>
      reasons.map((reason, i) => (details[i] ? `${reason} (${details[i]})` : reason)).join(', '),
  };
}
