// The seam between validation and CEL. Kinds that hold expressions say where one stands and what it
// is for; whether it compiles, and at what cost, says whoever implements `ExpressionChecker`.

import { fieldError } from '@keelson/apimachinery';
import type { Errors } from './checks.ts';

/** What an expression is for, which decides its variables and the type of its result. */
export type ExpressionUse =
  | 'match-condition'
  | 'variable'
  | 'validation'
  | 'message'
  | 'audit-annotation'
  | 'apply-configuration'
  | 'json-patch'
  | 'device-selector';

export interface ExpressionProblem {
  readonly kind: 'required' | 'invalid' | 'forbidden' | 'too-long' | 'internal';
  /** The finding, as `compilation failed: …`; the length limit for `too-long`. */
  readonly detail: string;
}

export interface ExpressionScope {
  /** Whether `params` is known. */
  readonly hasParams: boolean;
  /** Whether expressions may use variables that were declared before them. */
  readonly hasVariables?: boolean;
}

export interface ExpressionRequest {
  readonly expression: string;
  readonly use: ExpressionUse;
  /** Accepted before: it may use what only older or newer servers know. */
  readonly stored: boolean;
}

/** The expressions of one object, checked in order; variables become known as they are declared. */
export interface ExpressionSession {
  check(request: ExpressionRequest): readonly ExpressionProblem[];
  /** As `check` for a variable, which later expressions may use under its name. */
  declareVariable(name: string, request: ExpressionRequest): readonly ExpressionProblem[];
}

export interface ExpressionChecker {
  begin(scope: ExpressionScope): ExpressionSession;
}

/** Accepts every expression; callers see to it that there is one. */
export const uncheckedExpressions: ExpressionChecker = {
  begin: () => ({ check: () => [], declareVariable: () => [] }),
};

/** The problems of an expression as findings at its path. */
export function expressionErrors(
  errors: Errors,
  path: string,
  {
    expression,
    problems,
  }: { readonly expression: string; readonly problems: readonly ExpressionProblem[] },
): void {
  for (const { kind, detail } of problems) {
    switch (kind) {
      case 'required':
        errors.push(fieldError.required(path, detail));
        break;
      case 'forbidden':
        errors.push(fieldError.forbidden(path, detail));
        break;
      case 'too-long':
        errors.push(fieldError.tooLong(path, Number(detail)));
        break;
      case 'internal':
        errors.push(fieldError.internal(path, detail));
        break;
      default:
        errors.push(fieldError.invalid(path, expression, detail));
    }
  }
}
