// What Pod Security decided about a request, and the constants of decisions that need no thought.

import type { AggregateResult } from './aggregate.ts';
import { renderFieldErrors, type FieldError } from './field-error.ts';
import type { LevelVersion } from './level-version.ts';
import { labelPrefix, type PolicyMode } from './policy-labels.ts';

export type PodSecurityDecision = PodSecurityAllowed | PodSecurityRefused;

export interface PodSecurityAllowed extends DecisionContext {
  readonly allowed: true;
}

export interface PodSecurityRefused extends DecisionContext {
  readonly allowed: false;
  /** The reason of the Status to answer. */
  readonly reason: 'Forbidden' | 'Invalid' | 'BadRequest' | 'InternalError';
  /**
   * The cause, to be wrapped as that reason wants: `violates PodSecurity "restricted:latest": …`
   * becomes `pods "x" is forbidden: violates …`.
   */
  readonly message: string;
  /** For Invalid the errors of the Status; for Forbidden the fields at fault, for explanations. */
  readonly fieldErrors: readonly FieldError[];
}

/** What else the request's answer, audit event, metrics and explanation need. */
export interface DecisionContext {
  readonly warnings: readonly string[];
  /** By full key: `pod-security.kubernetes.io/enforce-policy`. */
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /**
   * What was evaluated. Metrics count `enforce` whatever came of it, `audit` and `warn` only when
   * the result is not allowed.
   */
  readonly evaluations: readonly ModeEvaluation[];
  /** Why nothing was evaluated. Counted for pods and workloads, not for namespaces. */
  readonly exemption?: Exemption;
  /** Something failed; `fatal` means that the policy could not be applied. */
  readonly failure?: 'fatal' | 'non-fatal';
}

export interface ModeEvaluation {
  readonly mode: PolicyMode;
  readonly policy: LevelVersion;
  readonly result: AggregateResult;
}

export type Exemption = 'namespace' | 'user' | 'runtimeClass';

const nothing: DecisionContext = { warnings: [], auditAnnotations: {}, evaluations: [] };

/** Allowed without a look. */
export const allowedSilently: PodSecurityAllowed = Object.freeze({ allowed: true, ...nothing });

export function allowedBy(context: Partial<DecisionContext>): PodSecurityAllowed {
  return { allowed: true, ...nothing, ...context };
}

export function allowedByExemption(exemption: Exemption): PodSecurityAllowed {
  return allowedBy({ exemption, auditAnnotations: annotation('exempt', exemption) });
}

/** A workload is admitted although it could not be judged: its pods will be judged. */
export function allowedDespite(failure: string): PodSecurityAllowed {
  return allowedBy({ failure: 'fatal', auditAnnotations: annotation('error', failure) });
}

export function refusedAsInvalid(fieldErrors: readonly FieldError[]): PodSecurityRefused {
  const message = renderFieldErrors(fieldErrors);
  return { allowed: false, reason: 'Invalid', message, fieldErrors, ...nothing };
}

export function refusedAsUndecodable(message: string): PodSecurityRefused {
  const failure = { failure: 'fatal', auditAnnotations: annotation('error', message) } as const;
  return { allowed: false, reason: 'BadRequest', message, fieldErrors: [], ...nothing, ...failure };
}

export function refusedByFailure(message: string, cause: unknown): PodSecurityRefused {
  const error = `Internal error occurred: ${message}: ${textOfError(cause)}`;
  const failure = { failure: 'fatal', auditAnnotations: annotation('error', error) } as const;
  return {
    allowed: false,
    reason: 'InternalError',
    message,
    fieldErrors: [],
    ...nothing,
    ...failure,
  };
}

/** One audit annotation by its short key. */
export function annotation(key: string, value: string): Record<string, string> {
  return { [`${labelPrefix}${key}`]: value };
}

export function textOfError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
