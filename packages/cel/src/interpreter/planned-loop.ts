/**
 * What the ways to plan a loop have in common.
 */

import type { ComprehensionExpression, Expression } from '../ast/expression.ts';
import { operators } from '../operators.ts';
import { celError } from '../values/error.ts';
import type { CelResult, CelValue } from '../values/value.ts';
import { formatValue } from '../values/value-text.ts';
import type { Evaluator } from './frame.ts';
import type { Planning } from './planning.ts';

/** A loop whose range and first value are planned. */
export interface PlannedLoop {
  readonly expression: ComprehensionExpression;
  readonly range: Evaluator;
  readonly init: Evaluator;
  /** Of the accumulator; those of the one or two variables follow. */
  readonly slot: number;
}

/** The accumulator and two variables. */
export const loopSlots = 3;

/** What a name, a condition and an operator cost each in one round, where nobody else counts. */
export const stepCost = 1;

/**
 * The operators that macros make of their own, if they cost what they do by default; the embedder's
 * costs may say otherwise.
 */
export function hasDefaultCost({ options }: Planning, operator: string): boolean {
  const { costs } = options;
  return costs?.count === undefined || costs.counts?.(operator) === false;
}

/** The operands of an operator, if a part is a call of it. */
export function operandsIf(
  expression: Expression,
  operator: string,
): readonly Expression[] | undefined {
  const isCall = expression.kind === 'call' && expression.function === operator;
  return isCall ? expression.arguments : undefined;
}

/** Whether a part is the accumulator alone. */
export function isAccumulator(
  loop: ComprehensionExpression,
  expression: Expression | undefined,
): boolean {
  return expression?.kind === 'identifier' && expression.name === loop.accumulator;
}

/** Whether a part keeps a loop going over errors, until its operand is false. */
export function continuesUnless(expression: Expression): Expression | undefined {
  return operandsIf(expression, operators.notStrictlyFalse)?.[0];
}

/**
 * Plans a part that sees the variables of a loop; undefined when it uses the accumulator too, which
 * no macro of the language lets it.
 */
export function planBody(
  planning: Planning,
  { expression, slot }: PlannedLoop,
  body: Expression,
): Evaluator | undefined {
  let usesAccumulator = false;
  const names = [
    { name: expression.accumulator, slot, onUse: () => (usesAccumulator = true) },
    { name: expression.iterationVariable, slot: slot + 1 },
    { name: expression.iterationVariable2, slot: slot + 2 },
  ];
  const evaluator = planning.withLocals(names, () => planning.plan(body));
  return usesAccumulator ? undefined : evaluator;
}

/** What loops say of a value that has no elements. */
export function notIterable(value: CelValue): CelResult {
  return celError(`got '${formatValue(value)}', expected iterable type`);
}
