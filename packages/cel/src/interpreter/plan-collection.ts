/**
 * `map`, `filter` and `transformList`: a list that grows by an element in each round, or in those
 * where a condition holds.
 */

import type { ComprehensionExpression, Expression } from '../ast/expression.ts';
import { creationCosts } from '../cost/default-call-cost.ts';
import { operators } from '../operators.ts';
import { noSuchOverload } from '../values/error.ts';
import { celList, listSizeMax, listTooLong } from '../values/list.ts';
import { isError } from '../values/value.ts';
import type { CelError, CelValue } from '../values/value.ts';
import { EvaluationCancelled } from './frame.ts';
import type { Evaluator, Frame } from './frame.ts';
import {
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

/** The evaluator of a loop that makes a list; undefined for other loops. */
export function planCollection(planning: Planning, loop: PlannedLoop): Evaluator | undefined {
  const { expression, range, init, slot } = loop;
  const shape = collectionShape(expression);
  if (shape === undefined || !hasDefaultCost(planning, operators.add)) return undefined;
  const element = planBody(planning, loop, shape.element);
  const filter = shape.filter && planBody(planning, loop, shape.filter);
  if (element === undefined || (shape.filter !== undefined && filter === undefined)) {
    return undefined;
  }
  // The list around a folded element is folded too.
  const isFolded = planning.constantValues([element]) !== undefined;
  // The accumulator, the list of the one element, and what appends it.
  const appendCost = stepCost + (isFolded ? 0 : creationCosts.list) + stepCost;
  const collect: Collect = (frame, collection) => {
    const keeps = filter === undefined ? true : filter(frame);
    if (keeps === false) return;
    if (keeps !== true) {
      collection.problem = isError(keeps) ? keeps : noSuchOverload;
      return;
    }
    const value = element(frame);
    frame.charge(appendCost);
    if (isError(value)) collection.problem ??= value;
    else append(collection.elements, value);
  };
  const hasTwo = expression.iterationVariable2 !== '';
  return (frame) => {
    const values = range(frame);
    if (isError(values)) return values;
    init(frame);
    const collection: Collection = { elements: [], problem: undefined };
    const round = (_frame: Frame, first: CelValue, second: CelValue | undefined): boolean => {
      frame.slots[slot + 1] = first;
      frame.slots[slot + 2] = second;
      collect(frame, collection);
      frame.iterate();
      return true;
    };
    if (!eachRound(frame, values, { hasTwo, round })) return notIterable(values);
    frame.charge(stepCost);
    return collection.problem ?? celList(collection.elements);
  };
}

/** What a loop has made so far. An error stays, but for a later one of the condition. */
interface Collection {
  readonly elements: CelValue[];
  problem: CelError | undefined;
}

type Collect = (frame: Frame, collection: Collection) => void;

function append(elements: CelValue[], value: CelValue): void {
  if (elements.length >= listSizeMax) throw new EvaluationCancelled(listTooLong);
  elements.push(value);
}

interface CollectionShape {
  readonly element: Expression;
  readonly filter: Expression | undefined;
}

/** The parts of `accumulator + [element]`, and of a choice between that and the accumulator. */
function collectionShape(loop: ComprehensionExpression): CollectionShape | undefined {
  const { accumulatorInit, loopCondition, loopStep, result } = loop;
  if (accumulatorInit.kind !== 'list' || accumulatorInit.elements.length > 0) return undefined;
  if (loopCondition.kind !== 'constant' || loopCondition.value !== true) return undefined;
  if (!isAccumulator(loop, result)) return undefined;
  const [filter, appending, otherwise] = operandsIf(loopStep, operators.conditional) ?? [];
  if (filter !== undefined && !isAccumulator(loop, otherwise)) return undefined;
  const [accumulator, list] = operandsIf(appending ?? loopStep, operators.add) ?? [];
  if (list?.kind !== 'list' || list.optionalIndices.length > 0) return undefined;
  const [element, ...others] = list.elements;
  if (element === undefined || others.length > 0) return undefined;
  return isAccumulator(loop, accumulator) ? { element, filter } : undefined;
}
