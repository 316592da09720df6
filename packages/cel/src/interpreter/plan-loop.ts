/**
 * Comprehensions: the loops that macros become, and names that `cel.bind` gives to values.
 *
 * Loops of the shapes that the macros make are planned as what they are, in `plan-quantifier.ts`
 * and `plan-collection.ts`; what they give and cost is the same as in the general way, which is
 * here. INVARIANT: held by the comparison with the reference evaluator in `differential.test.ts`.
 */

import { isBinding } from '../ast/binding.ts';
import type { ComprehensionExpression } from '../ast/expression.ts';
import { isError } from '../values/value.ts';
import type { Evaluator } from './frame.ts';
import { planCollection } from './plan-collection.ts';
import { planQuantifier } from './plan-quantifier.ts';
import { loopSlots, notIterable } from './planned-loop.ts';
import type { PlannedLoop } from './planned-loop.ts';
import type { Planning } from './planning.ts';
import { eachRound } from './rounds.ts';
import type { Rounds } from './rounds.ts';

/** A loop or a binding. */
export function planComprehension(
  planning: Planning,
  expression: ComprehensionExpression,
): Evaluator {
  if (isBinding(expression)) return planBinding(planning, expression);
  const range = planning.plan(expression.range);
  const init = planning.plan(expression.accumulatorInit);
  const loop: PlannedLoop = { expression, range, init, slot: planning.takeSlots(loopSlots) };
  return (
    planQuantifier(planning, loop) ?? planCollection(planning, loop) ?? planLoop(planning, loop)
  );
}

function planLoop(planning: Planning, { expression, range, init, slot }: PlannedLoop): Evaluator {
  const accumulator = { name: expression.accumulator, slot };
  const inner = [
    accumulator,
    { name: expression.iterationVariable, slot: slot + 1 },
    { name: expression.iterationVariable2, slot: slot + 2 },
  ];
  const condition = planning.withLocals(inner, () => planning.plan(expression.loopCondition));
  const step = planning.withLocals(inner, () => planning.plan(expression.loopStep));
  const result = planning.withLocals([accumulator], () => planning.plan(expression.result));
  const rounds: Rounds = {
    hasTwo: expression.iterationVariable2 !== '',
    round: (frame, first, second) => {
      const { slots } = frame;
      slots[slot + 1] = first;
      slots[slot + 2] = second;
      if (condition(frame) === false) return false;
      slots[slot] = step(frame);
      frame.iterate();
      return true;
    },
  };
  return (frame) => {
    const values = range(frame);
    if (isError(values)) return values;
    frame.slots[slot] = init(frame);
    return eachRound(frame, values, rounds) ? result(frame) : notIterable(values);
  };
}

function planBinding(planning: Planning, loop: ComprehensionExpression): Evaluator {
  const range = planning.plan(loop.range);
  const slot = planning.takeSlots(1);
  const init = planning.plan(loop.accumulatorInit);
  const result = planning.withLocals([{ name: loop.accumulator, slot, init }], () =>
    planning.plan(loop.result),
  );
  return (frame) => {
    range(frame);
    frame.slots[slot] = undefined;
    return result(frame);
  };
}
