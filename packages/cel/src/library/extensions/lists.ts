/**
 * Lists: `slice` (version 0), `flatten` (1), `sort`, `sortBy`, `lists.range`, `reverse` and
 * `distinct` (2); version 3 says what they cost.
 */

import type { CallContext, CallCost, CallEstimator, SizeEstimate } from '../../cost/cost.ts';
import { actualSize, creationCosts } from '../../cost/default-call-cost.ts';
import { addRanges, exactly, multiplyRanges, rangeMax, scaleRange } from '../../cost/range.ts';
import type { Macro } from '../../macros/macro.ts';
import { isMacroError } from '../../macros/macro.ts';
import { standardMacros } from '../../macros/standard-macros.ts';
import { unusedVariableName } from '../../operators.ts';
import { celTypes, listType, typeParameter } from '../../types/type.ts';
import type { CelType } from '../../types/type.ts';
import { contains } from '../../values/equality.ts';
import { celError } from '../../values/error.ts';
import { celList, elementsOf } from '../../values/list.ts';
import { compareValues } from '../../values/ordering.ts';
import { isList, kindOf } from '../../values/value.ts';
import type { CelList, CelResult, CelValue } from '../../values/value.ts';
import { declareFunction, globalOverload, memberOverload } from '../library.ts';
import type { FunctionDeclaration, Library, Overload } from '../library.ts';

const { bool, bytes, double, duration, dyn, int, string, timestamp, uint } = celTypes;
const anyList = listType(typeParameter('T'));
const comparable: readonly CelType[] = [
  int,
  uint,
  double,
  bool,
  duration,
  timestamp,
  string,
  bytes,
];

/** Versions as cel-go counts them. */
export type ListsVersion = 0 | 1 | 2 | 3;

/** The functions of a version and those before it. */
export function listsLibrary(version: ListsVersion = 3): Library {
  const hasCosts = version >= 3;
  const functions = [sliceFunction, ...(version >= 1 ? [flattenFunction] : [])];
  if (version >= 2) functions.push(...orderFunctions);
  return {
    name: 'cel.ext.lists',
    functions: hasCosts ? functions : functions.map(withoutCosts),
    ...(version >= 2 && { macros: [sortByMacro] }),
  };
}

function withoutCosts(declaration: FunctionDeclaration): FunctionDeclaration {
  const overloads = declaration.overloads.map(
    ({ estimate: _estimate, cost: _cost, ...overload }): Overload => overload,
  );
  return { ...declaration, overloads };
}

// A call that makes a list: one for the call, the cost of a list, and something per element.
const allocation = 1 + creationCosts.list;

function estimateAllocation(factor: number, size: SizeEstimate): ReturnType<CallEstimator> {
  const resultSize = { min: size.min, max: size.max };
  return { cost: addRanges(scaleRange(size, factor), exactly(allocation)), resultSize };
}

function countAllocation(factor: number, size: number): number {
  return Math.floor(size * factor) + allocation;
}

const countOutput: CallCost = ({ result }) => countAllocation(1, actualSize(result));

function literalInt(call: CallContext, index: number, otherwise: number): number {
  const expression = call.arguments[index]?.expression;
  if (expression?.kind !== 'constant' || typeof expression.value !== 'bigint') return otherwise;
  return expression.value < 0n ? otherwise : Number(expression.value);
}

const sliceFunction = declareFunction(
  'slice',
  memberOverload('list_slice', [[anyList, int, int], anyList], slice, {
    estimate: (call) => {
      if (call.target === undefined) return undefined;
      const start = literalInt(call, 0, 0);
      const end = literalInt(call, 1, call.sizeOf(call.target).max);
      return estimateAllocation(1, exactly(end >= start ? end - start : rangeMax));
    },
    cost: countOutput,
  }),
);

function slice(list: CelList, start: bigint, end: bigint): CelResult {
  const problem = (text: string): CelResult => celError(`cannot slice(${start}, ${end}), ${text}`);
  if (start < 0n || end < 0n) return problem('negative indexes not supported');
  if (start > end) return problem('start index must be less than or equal to end index');
  if (end > list.size) return problem(`list is length ${list.size}`);
  const elements: CelValue[] = [];
  for (let index = Number(start); index < Number(end); index++) elements.push(list.get(index));
  return celList(elements);
}

const estimateFlatten: CallEstimator = (call) =>
  call.target === undefined
    ? undefined
    : estimateAllocation(
        call.arguments.length === 0 ? 1 : literalInt(call, 0, rangeMax),
        call.sizeOf(call.target),
      );

const countFlatten: CallCost = ({ arguments: [list, depth] }) =>
  countAllocation(typeof depth === 'bigint' ? Number(depth) : 1, actualSize(list));

const flattenFunction = declareFunction(
  'flatten',
  memberOverload(
    'list_flatten',
    [[listType(anyList)], anyList],
    (list: CelList) => flatten(list, 1n),
    { estimate: estimateFlatten, cost: countFlatten },
  ),
  memberOverload('list_flatten_int', [[listType(dyn), int], listType(dyn)], flatten, {
    estimate: estimateFlatten,
    cost: countFlatten,
  }),
);

function flatten(list: CelList, depth: bigint): CelResult {
  if (depth < 0n) return celError('level must be non-negative');
  const elements: CelValue[] = [];
  const append = (from: CelList, levels: bigint): void => {
    for (const element of elementsOf(from)) {
      if (levels > 0n && isList(element)) append(element, levels - 1n);
      else elements.push(element);
    }
  };
  append(list, depth);
  return celList(elements);
}

// More would only serve to fill the memory.
const rangeLengthMax = 1_000_000n;

function range(count: bigint): CelResult {
  if (count < 0n) return celList([]);
  if (count > rangeLengthMax) {
    return celError(`lists.range: size ${count} exceeds maximum allowed (${rangeLengthMax})`);
  }
  return celList(Array.from({ length: Number(count) }, (_, index) => BigInt(index)));
}

function reverse(list: CelList): CelList {
  return celList([...elementsOf(list)].reverse());
}

function distinct(list: CelList): CelList {
  const elements: CelValue[] = [];
  const byText = new Set<string>();
  for (const element of elementsOf(list)) {
    // Most lists are of strings, for which there is a quicker way.
    const isNew =
      typeof element === 'string' ? !byText.has(element) : !contains(celList(elements), element);
    if (typeof element === 'string') byText.add(element);
    if (isNew) elements.push(element);
  }
  return celList(elements);
}

function sortBy(list: CelList, keys: CelList): CelResult {
  if (list.size !== keys.size) {
    return celError(
      '@sortByAssociatedKeys() expected a list of the same size as the associated keys list, ' +
        `but got ${list.size} and ${keys.size} elements respectively`,
    );
  }
  const pairs = Array.from({ length: list.size }, (_, index) => ({
    element: list.get(index),
    key: keys.get(index),
  }));
  const [first] = pairs;
  if (first === undefined) return list;
  if (compareValues(first.key, first.key) === undefined) {
    return celError('list elements must be comparable');
  }
  if (pairs.some(({ key }) => kindOf(key) !== kindOf(first.key))) {
    return celError('list elements must have the same type');
  }
  pairs.sort((left, right) => compareValues(left.key, right.key) ?? 0);
  return celList(pairs.map(({ element }) => element));
}

const pairwise = 2;
const pairwiseOfTexts = 2.1;

function estimatePairs(factor: number, size: SizeEstimate): ReturnType<CallEstimator> {
  return estimateAllocation(factor, multiplyRanges(size, size));
}

function countPairs(list: CelValue | undefined): number {
  const size = actualSize(list);
  const first = list !== undefined && isList(list) && list.size > 0 ? list.get(0) : undefined;
  const isText = typeof first === 'string' || first instanceof Uint8Array;
  return countAllocation(isText ? pairwiseOfTexts : pairwise, size * size);
}

function orderOverloads(type: CelType): { sort: Overload; sortBy: Overload } {
  const factor = type === string || type === bytes ? pairwiseOfTexts : pairwise;
  const listOfType = listType(type);
  return {
    sort: memberOverload(
      `list_${type.name}_sort`,
      [[listOfType], listOfType],
      (list: CelList) => sortBy(list, list),
      {
        estimate: (call) => call.target && estimatePairs(factor, call.sizeOf(call.target)),
        cost: ({ arguments: [list] }) => countPairs(list),
      },
    ),
    sortBy: memberOverload(
      `list_${type.name}_sortByAssociatedKeys`,
      [[anyList, listOfType], anyList],
      sortBy,
      {
        estimate: (call) =>
          call.arguments[0] && estimatePairs(factor, call.sizeOf(call.arguments[0])),
        cost: ({ arguments: [, keys] }) => countPairs(keys),
      },
    ),
  };
}

const byType = comparable.map(orderOverloads);

const orderFunctions: readonly FunctionDeclaration[] = [
  declareFunction('sort', ...byType.map((overloads) => overloads.sort)),
  declareFunction('@sortByAssociatedKeys', ...byType.map((overloads) => overloads.sortBy)),
  declareFunction(
    'lists.range',
    globalOverload('lists_range', [[int], listType(int)], range, {
      estimate: (call) => estimateAllocation(1, exactly(literalInt(call, 0, rangeMax))),
      cost: countOutput,
    }),
  ),
  declareFunction(
    'reverse',
    memberOverload('list_reverse', [[anyList], anyList], reverse, {
      estimate: (call) => call.target && estimateAllocation(1, call.sizeOf(call.target)),
      cost: countOutput,
    }),
  ),
  declareFunction(
    'distinct',
    memberOverload('list_distinct', [[anyList], anyList], distinct, {
      estimate: (call) => call.target && estimatePairs(pairwise, call.sizeOf(call.target)),
      cost: ({ arguments: [list] }) => countPairs(list),
    }),
  ),
];

const sortByInput = '@__sortBy_input__';

// `list.sortBy(e, key)` sorts by a second list, that of the keys.
const sortByMacro: Macro = {
  name: 'sortBy',
  isMember: true,
  argumentCount: 2,
  expand: (call, make) => {
    const { target } = call;
    const sortable = ['list', 'select', 'identifier', 'comprehension', 'call'];
    if (target === undefined || !sortable.includes(target.kind)) {
      const message =
        'sortBy can only be applied to a list, identifier, comprehension, ' +
        'call or select expression';
      return { expressionId: target?.id ?? call.id, message };
    }
    const map = standardMacros.find((macro) => macro.name === 'map' && macro.argumentCount === 2);
    const keys = map?.expand({ ...call, target: make.identifier(sortByInput) }, make);
    if (keys === undefined || isMacroError(keys)) return keys;
    return make.comprehension({
      range: make.list(),
      iterationVariable: unusedVariableName,
      iterationVariable2: '',
      accumulator: sortByInput,
      accumulatorInit: target,
      loopCondition: make.constant(false),
      loopStep: make.identifier(sortByInput),
      result: make.memberCall('@sortByAssociatedKeys', make.identifier(sortByInput), keys),
    });
  },
};
