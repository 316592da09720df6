/**
 * Finds calls of `format` that can only fail: a literal format string with a list literal that does
 * not fit it.
 */

import type { CallExpression, Expression, ListExpression } from '../../ast/expression.ts';
import type { CheckedExpression } from '../../checker/checked-expression.ts';
import { childrenOf, walkExpression } from '../../checker/walk-expression.ts';
import { celTypes } from '../../types/type.ts';
import type { CelType, CelTypeKind } from '../../types/type.ts';
import type { ValidationProblem, Validator } from '../library.ts';
import { clauseErrors, fillFormat } from './format-clauses.ts';
import type { FormatClause } from './format-clauses.ts';
import type { FormatStyle } from './format-string.ts';

/** Finds the calls that fail, each at the argument that makes it fail. */
export function formatValidator(style: FormatStyle): Validator {
  return (checked) => {
    const problems: ValidationProblem[] = [];
    walkExpression(checked.expression, (expression) => {
      if (expression.kind !== 'call' || expression.function !== 'format') return;
      const problem = validateCall(checked, expression, style);
      if (problem !== undefined) problems.push(problem);
    });
    return problems;
  };
}

function validateCall(
  checked: CheckedExpression,
  call: CallExpression,
  style: FormatStyle,
): ValidationProblem | undefined {
  const [list] = call.arguments;
  const format = call.target?.kind === 'constant' ? call.target.value : undefined;
  if (typeof format !== 'string' || list?.kind !== 'list') return undefined;
  let failed = call.id;
  let used = 0;
  const filled = fillFormat(format, list.elements.length, ({ verb }, index) => {
    used = index + 1;
    // The plain style prints NaN and infinity where it prints integers.
    const kinds = verb === 'd' && style === 'plain' ? numbers : accepted[verb];
    const misfit = findMisfit(checked, { kinds, verb }, list.elements[index] ?? list);
    if (misfit === undefined) return { text: '' };
    failed = misfit.id;
    return { error: clauseErrors[verb] + typeOf(checked, misfit).name };
  });
  if ('error' in filled) return { expressionId: failed, message: filled.error };
  return tooMany(call, list, used);
}

function tooMany(
  call: CallExpression,
  list: ListExpression,
  used: number,
): ValidationProblem | undefined {
  const given = list.elements.length;
  if (given <= used) return undefined;
  const counts = `(expected ${used}, got ${given})`;
  const message = `too many arguments supplied to string.format ${counts}`;
  return { expressionId: call.id, message };
}

const printable: readonly CelTypeKind[] = [
  'list',
  'map',
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'timestamp',
  'bytes',
  'duration',
  'type',
  'null',
];

const numbers: readonly CelTypeKind[] = ['int', 'uint', 'double'];

const accepted: Readonly<Record<FormatClause['verb'], readonly CelTypeKind[]>> = {
  s: printable,
  d: ['int', 'uint'],
  f: ['double', 'string'],
  e: ['double', 'string'],
  b: ['int', 'uint', 'bool'],
  x: ['int', 'uint', 'string', 'bytes'],
  X: ['int', 'uint', 'string', 'bytes'],
  o: ['int', 'uint'],
};

function typeOf(checked: CheckedExpression, expression: Expression): CelType {
  return checked.types.get(expression.id) ?? celTypes.dyn;
}

/** What a clause takes. */
interface Demand {
  readonly verb: FormatClause['verb'];
  readonly kinds: readonly CelTypeKind[];
}

// The argument, or something in a literal of it, that the clause does not take.
function findMisfit(
  checked: CheckedExpression,
  demand: Demand,
  value: Expression,
): Expression | undefined {
  const { kind } = typeOf(checked, value);
  if (kind !== 'dyn' && !demand.kinds.includes(kind)) return value;
  if (demand.verb !== 's' || (value.kind !== 'list' && value.kind !== 'map')) return undefined;
  for (const part of childrenOf(value)) {
    const misfit = findMisfit(checked, demand, part);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}
