/**
 * `all` and `exists`: a predicate for each element, until one decides.
 */

import { operators } from '../operators.ts';
import { isError } from '../values/value.ts';
import type { Evaluator } from './frame.ts';
import { combine } from './plan-logic.ts';
import {
  continuesUnless,
  hasDefaultCost,
  isAccumulator,
  notIterable,
  operandsIf,
  planBody,
  stepCost,
} from './planned-loop.ts';
import type { PlannedLoop } from './planned-loop.ts';
import type { Planning } from './planning.ts';
import { eachRound } from './rounds.ts';
import type { Rounds } from './rounds.ts';

/** The evaluator of `all` or `exists`; undefined for other loops. */
export function planQuantifier(planning: Planning, loop: PlannedLoop): Evaluator | undefined {
  const { expression, range, init, slot } = loop;
  const { loopStep, result } = expression;
  const isAll = continuesWhile(loop, true);
  if (!isAll && !(continuesWhile(loop, false) && hasDefaultCost(planning, operators.not))) {
    return undefined;
  }
  const [accumulator, body] = operandsIf(loopStep, isAll ? operators.and : operators.or) ?? [];
  if (body === undefined || !isAccumulator(expression, accumulator)) return undefined;
  if (!isAccumulator(expression, result)) return undefined;
  const predicate = planBody(planning, loop, body);
  if (predicate === undefined) return undefined;
  const deciding = !isAll;
  // The accumulator and what asks about it; `exists` negates it besides.
  const conditionCost = isAll ? 2 * stepCost : 3 * stepCost;
  const rounds: Rounds = {
    hasTwo: expression.iterationVariable2 !== '',
    round: (frame, first, second) => {
      const { slots } = frame;
      const sofar = slots[slot] ?? !deciding;
      if (sofar === deciding) {
        frame.charge(conditionCost);
        return false;
      }
      frame.charge(conditionCost + stepCost);
      slots[slot + 1] = first;
      slots[slot + 2] = second;
      slots[slot] = combine(sofar, predicate(frame), deciding);
      frame.iterate();
      return true;
    },
  };
  return (frame) => {
    const values = range(frame);
    if (isError(values)) return values;
    frame.slots[slot] = init(frame);
    if (!eachRound(frame, values, rounds)) return notIterable(values);
    frame.charge(stepCost);
    return frame.slots[slot] ?? !deciding;
  };
}

/** Whether a loop starts with a value and goes on until that changes. */
function continuesWhile({ expression }: PlannedLoop, value: boolean): boolean {
  const { accumulatorInit, loopCondition } = expression;
  if (accumulatorInit.kind !== 'constant' || accumulatorInit.value !== value) return false;
  const asked = continuesUnless(loopCondition);
  const negated = asked === undefined ? undefined : operandsIf(asked, operators.not)?.[0];
  return isAccumulator(expression, value ? asked : negated);
}
