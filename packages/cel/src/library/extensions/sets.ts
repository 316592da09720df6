/**
 * `sets.contains`, `sets.equivalent` and `sets.intersects`: lists taken as sets.
 */

import type { CallCost, CallEstimator } from '../../cost/cost.ts';
import { actualSize } from '../../cost/default-call-cost.ts';
import { addRanges, exactly, multiplyRanges } from '../../cost/range.ts';
import { celTypes, listType, typeParameter } from '../../types/type.ts';
import { contains } from '../../values/equality.ts';
import { elementsOf } from '../../values/list.ts';
import type { CelList } from '../../values/value.ts';
import { declareFunction, globalOverload } from '../library.ts';
import type { FunctionDeclaration, Library } from '../library.ts';

const list = listType(typeParameter('T'));

/** Sets. */
export const setsLibrary: Library = {
  name: 'cel.ext.sets',
  functions: [
    declare('contains', 'list_sets_contains_list', 1, containsAll),
    declare(
      'equivalent',
      'list_sets_equivalent_list',
      2,
      (left, right) => containsAll(left, right) && containsAll(right, left),
    ),
    declare('intersects', 'list_sets_intersects_list', 1, intersects),
  ],
};

function declare(
  name: string,
  id: string,
  comparisons: number,
  invoke: (left: CelList, right: CelList) => boolean,
): FunctionDeclaration {
  const estimate: CallEstimator = (call) => {
    const [left, right] = call.arguments;
    if (left === undefined || right === undefined) return undefined;
    const pairs = multiplyRanges(call.sizeOf(left), call.sizeOf(right));
    return { cost: addRanges(exactly(1), multiplyRanges(pairs, exactly(comparisons))) };
  };
  const cost: CallCost = ({ arguments: [left, right] }) =>
    1 + comparisons * actualSize(left) * actualSize(right);
  return declareFunction(
    `sets.${name}`,
    globalOverload(id, [[list, list], celTypes.bool], invoke, { estimate, cost }),
  );
}

function containsAll(left: CelList, right: CelList): boolean {
  for (const element of elementsOf(right)) if (!contains(left, element)) return false;
  return true;
}

function intersects(left: CelList, right: CelList): boolean {
  for (const element of elementsOf(right)) if (contains(left, element)) return true;
  return false;
}
