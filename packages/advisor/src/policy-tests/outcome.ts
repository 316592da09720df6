// What a cluster did with the request of a case, read from its answer and from the steps of its
// trace: allowed or refused, by whom, and what every policy that was asked found.

import { isJsonObject, type DecisionStep, type JsonObject } from '@keelson/apimachinery';
import type { Decision } from '../cluster.ts';
import type { Operation } from './suite.ts';

export interface Outcome {
  readonly allowed: boolean;
  readonly status: number;
  /** Of the refusal; empty when there is none. */
  readonly message: string;
  readonly reason: string;
  /** Who refused: plugins, authorizers, or `validation`. */
  readonly refusedBy: readonly string[];
  readonly policies: readonly PolicyOutcome[];
  /** The object that was answered. */
  readonly object: JsonObject | undefined;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** What one policy said, by one binding and with one set of parameters. */
export interface PolicyOutcome {
  readonly policy: string;
  readonly binding: string;
  readonly params: string;
  readonly result: 'allowed' | 'refused' | 'not asked';
  /** Messages of rules that do not hold, also where the binding only warns. */
  readonly findings: readonly string[];
  readonly expressions: readonly OutcomeExpression[];
}

export interface OutcomeExpression {
  /**
   * `spec.validations[0]`, `spec.matchConditions[0]`, `spec.mutations[0]`, `spec.variables[name]`.
   */
  readonly field: string;
  readonly expression: string;
  readonly value: string;
  readonly decided: readonly DecidedPart[];
}
export interface DecidedPart {
  readonly text: string;
  readonly value: string;
  readonly line: number;
  readonly column: number;
}

export function outcomeOf(decision: Decision, operation: Operation): Outcome {
  const { status, body, steps, warnings, auditAnnotations } = decision;
  const answer = isJsonObject(body) ? body : undefined;
  const denying = steps.filter((step) => isDecider(step) && step.outcome === 'deny');
  // What a connection leads to is not there: whether it may be made is all that is asked.
  const allowed = operation === 'CONNECT' ? isAdmitted(status, steps) : status < 400;
  return {
    allowed,
    status,
    message: allowed ? '' : String(answer?.['message'] ?? ''),
    reason: allowed ? '' : String(answer?.['reason'] ?? ''),
    refusedBy: allowed ? [] : namesOf(denying, status),
    policies: steps.flatMap(policyOutcome),
    object: allowed ? answer : undefined,
    warnings,
    auditAnnotations,
  };
}

function isDecider({ stage }: DecisionStep): boolean {
  return stage.startsWith('admission/') || stage === 'authorization' || stage === 'authentication';
}

function isAdmitted(status: number, steps: readonly DecisionStep[]): boolean {
  if (status < 400) return true;
  const validating = steps.filter(({ stage }) => stage === 'admission/validating');
  return validating.length > 0 && validating.every(({ outcome }) => outcome !== 'deny');
}

function namesOf(denying: readonly DecisionStep[], status: number): string[] {
  if (denying.length > 0) return [...new Set(denying.map(({ by }) => by))];
  // Authorizers have no opinion; that nobody allows is what refuses.
  return [status === 403 ? 'authorization' : 'validation'];
}

function policyOutcome({ outcome, detail, reason }: DecisionStep): PolicyOutcome[] {
  const policy = detail?.['policy'];
  if (detail === undefined || typeof policy !== 'string') return [];
  const text = (key: string) => (typeof detail[key] === 'string' ? detail[key] : '');
  const denials = listOf(detail['denials']).map((denial) => String(denial['message']));
  return [
    {
      policy,
      binding: text('binding'),
      params: text('params'),
      result: outcome === 'deny' ? 'refused' : outcome === 'no-opinion' ? 'not asked' : 'allowed',
      findings: denials.length > 0 || reason === '' ? denials : outcome === 'deny' ? [reason] : [],
      expressions: [
        ...expressionsOf(detail['conditions'], 'spec.matchConditions'),
        ...expressionsOf(detail['validations'], 'spec.validations'),
        ...expressionsOf(detail['mutations'], 'spec.mutations'),
      ],
    },
  ];
}

/** Steps are plain data; what they hold is written by the policy plugins. */
function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value : [];
}

function expressionsOf(value: unknown, field: string): OutcomeExpression[] {
  return listOf(value).flatMap((one, index) => [
    {
      field: `${field}[${index}]`,
      expression: String(one['expression']),
      value: String(one['value']),
      decided: partsOf(one['decided']),
    },
    ...listOf(one['variables']).map((variable) => ({
      field: `spec.variables[${String(variable['name'])}]`,
      expression: String(variable['expression']),
      value: '',
      decided: partsOf(variable['decided']),
    })),
  ]);
}

function partsOf(value: unknown): DecidedPart[] {
  return listOf(value).map((part) => ({
    text: String(part['text']),
    value: String(part['value']),
    line: Number(part['line']),
    column: Number(part['column']),
  }));
}
