/**
 * Checks beyond types, for environments that ask: constant arguments that can only fail, and
 * literals of mixed types. They run on an expression that type-checks.
 */

import type { CallExpression, Expression } from '../ast/expression.ts';
import type { ValidationProblem, Validator } from '../library/library.ts';
import { compileRegex } from '../library/regex.ts';
import { formatType } from '../types/format-type.ts';
import { isSameType } from '../types/same-type.ts';
import { celTypes } from '../types/type.ts';
import type { CelType } from '../types/type.ts';
import { parseDuration } from '../values/duration-text.ts';
import { parseTimestamp } from '../values/timestamp-text.ts';
import type { CheckedExpression } from './checked-expression.ts';
import { walkExpression } from './walk-expression.ts';

/** Which checks to make. */
export interface LiteralChecks {
  readonly validateLiterals: boolean;
  readonly homogeneousLiterals: boolean;
}

/** The validator for these checks. */
export function literalValidator(checks: LiteralChecks): Validator {
  return (checked) => {
    const problems: ValidationProblem[] = [];
    const report: Report = (expressionId, message) => {
      problems.push({ expressionId, message });
    };
    walkExpression(checked.expression, (expression, ancestors) => {
      if (checks.validateLiterals && expression.kind === 'call') checkCall(expression, report);
      const isLiteral = expression.kind === 'list' || expression.kind === 'map';
      if (!checks.homogeneousLiterals || !isLiteral || isExempt(checked, ancestors)) return;
      checkMixture(checked, expression, report);
    });
    return problems;
  };
}

type Report = (expressionId: number, message: string) => void;

function checkCall(call: CallExpression, report: Report): void {
  const argument = call.arguments.at(-1);
  if (argument?.kind !== 'constant' || typeof argument.value !== 'string') return;
  const count = call.arguments.length;
  const isInvalid =
    (call.function === 'duration' && count === 1 && parseDuration(argument.value) === undefined) ||
    (call.function === 'timestamp' &&
      count === 1 &&
      parseTimestamp(argument.value) === undefined) ||
    (call.function === 'matches' && typeof compileRegex(argument.value) === 'string');
  if (isInvalid) report(argument.id, `invalid ${call.function} argument`);
}

// COMPAT: the arguments of `format` are a list of whatever is to be printed.
const formatFunctions: ReadonlySet<string> = new Set(['format', 'strings.format']);

function isExempt(checked: CheckedExpression, ancestors: readonly Expression[]): boolean {
  return ancestors.some(
    (ancestor) =>
      ancestor.kind === 'call' &&
      formatFunctions.has(checked.references.get(ancestor.id)?.name ?? ancestor.function),
  );
}

function checkMixture(checked: CheckedExpression, expression: Expression, report: Report): void {
  const typeOf = (part: Expression, isOptional: boolean): CelType => {
    const type = checked.types.get(part.id) ?? celTypes.dyn;
    const [content] = type.parameters;
    return isOptional && type.kind === 'optional' && content !== undefined ? content : type;
  };
  if (expression.kind === 'list') {
    const { elements, optionalIndices } = expression;
    const optional = new Set(optionalIndices);
    const types = elements.map((part, index) => typeOf(part, optional.has(index)));
    reportFirstMismatch(elements, types, report);
  } else if (expression.kind === 'map') {
    const keys = expression.entries.map((entry) => entry.key);
    const values = expression.entries.map((entry) => entry.value);
    reportFirstMismatch(
      keys,
      keys.map((key) => typeOf(key, false)),
      report,
    );
    const valueTypes = expression.entries.map((entry) => typeOf(entry.value, entry.isOptional));
    reportFirstMismatch(values, valueTypes, report);
  }
}

function reportFirstMismatch(
  parts: readonly Expression[],
  types: readonly CelType[],
  report: Report,
): void {
  const [first] = types;
  if (first === undefined) return;
  const index = types.findIndex((type) => !isSameType(first, type));
  const part = parts[index];
  const type = types[index];
  if (part === undefined || type === undefined) return;
  report(part.id, `expected type '${formatType(first)}' but found '${formatType(type)}'`);
}
