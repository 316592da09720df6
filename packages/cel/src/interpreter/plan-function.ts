/**
 * Calls of functions: their overloads, and what of them is computed before evaluation.
 */

import type { CallExpression } from '../ast/expression.ts';
import type { Overload } from '../library/library.ts';
import { compileRegex } from '../library/regex.ts';
import { celError } from '../values/error.ts';
import { isError } from '../values/value.ts';
import { planCall } from './call.ts';
import type { PlannedCall } from './call.ts';
import { constantFrame } from './frame.ts';
import type { Evaluator } from './frame.ts';
import type { Planning } from './planning.ts';

/** Stand in for what overloads with these ids do. */
export type Implementations = Readonly<Record<string, Overload['invoke']>>;

/** A call. */
export function planFunction(
  planning: Planning,
  call: CallExpression,
  implementations: Implementations = {},
): Evaluator {
  const reference = planning.referenceOf(call);
  const isMember = call.target !== undefined && reference?.isNamespaced !== true;
  const values = [...(isMember && call.target ? [call.target] : []), ...call.arguments];
  const operands = values.map((part) => planning.plan(part));
  const called = calledFunction(planning, call, implementations);
  const evaluator = planCall({ ...called, values: operands });
  return planning.options.foldConstants
    ? foldCall(planning, { name: called.function, operands, evaluator })
    : evaluator;
}

/** The function of a call, its overloads and its costs. */
export function calledFunction(
  planning: Planning,
  call: CallExpression,
  implementations: Implementations = {},
): Omit<PlannedCall, 'values'> {
  const { declarations, costs } = planning.options;
  const reference = planning.referenceOf(call);
  const name = reference?.name ?? call.function;
  const ids = reference?.overloadIds ?? [];
  const all = declarations.functions.get(name)?.overloads ?? [];
  const overloads = ids.length === 1 ? all.filter((overload) => overload.id === ids[0]) : all;
  return {
    function: name,
    overloadId: ids.length === 1 ? (ids[0] ?? '') : '',
    overloads: overloads.map((overload) => {
      const invoke = implementations[overload.id];
      return invoke === undefined ? overload : { ...overload, invoke };
    }),
    count: costs?.counts?.(name) === false ? undefined : costs?.count,
  };
}

interface FoldableCall {
  readonly name: string;
  readonly operands: readonly Evaluator[];
  readonly evaluator: Evaluator;
}

/** Conversions of constants are computed now; a constant pattern is at least compiled. */
function foldCall(planning: Planning, { name, operands, evaluator }: FoldableCall): Evaluator {
  if (name === 'matches') checkPattern(planning, operands[1]);
  if (!conversions.has(name) || operands.length !== 1) return evaluator;
  if (planning.constantValues(operands) === undefined) return evaluator;
  const result = evaluator(constantFrame());
  if (!isError(result)) return planning.constantly(result);
  planning.reportFailure(result);
  return () => result;
}

function checkPattern(planning: Planning, pattern: Evaluator | undefined): void {
  const text = pattern === undefined ? undefined : planning.constantOf(pattern);
  if (typeof text !== 'string') return;
  const regex = compileRegex(text);
  if (typeof regex === 'string') planning.reportFailure(celError(regex));
}

const conversions: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'dyn',
  'int',
  'string',
  'timestamp',
  'type',
  'uint',
]);
