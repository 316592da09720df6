// Functions on lists of values that have an order: `[3, 1, 2].min()`, `isSorted`, `sum`, `indexOf`.

import {
  declareFunction,
  memberOverload,
  type FunctionDeclaration,
  type Library,
} from '../../library/library.ts';
import { celTypes, listType, typeParameter } from '../../types/type.ts';
import { isEqual } from '../../values/equality.ts';
import {
  celError,
  durationOverflow,
  integerOverflow,
  noSuchOverload,
  unsignedIntegerOverflow,
} from '../../values/error.ts';
import { elementsOf } from '../../values/list.ts';
import { compareValues } from '../../values/ordering.ts';
import { celDuration, celUint, int64Max, int64Min, uint64Max } from '../../values/scalars.ts';
import type { CelList, CelResult, CelValue } from '../../values/value.ts';

const { bool, bytes, double, duration, int, string, timestamp, uint } = celTypes;
const summable = { int, uint, double, duration } as const;
const comparable = { int, uint, double, bool, duration, timestamp, string, bytes } as const;
const element = typeParameter('A');

function isSorted(list: CelList): boolean {
  let previous: CelValue | undefined;
  for (const value of elementsOf(list)) {
    if (previous !== undefined && (compareValues(previous, value) ?? 0) > 0) return false;
    previous = value;
  }
  return true;
}

/** The first of the least elements, or of the greatest ones. */
function extreme(name: 'min' | 'max') {
  const sign = name === 'min' ? 1 : -1;
  return (list: CelList): CelResult => {
    let best: CelValue | undefined;
    for (const value of elementsOf(list)) {
      if (best === undefined || (compareValues(best, value) ?? 0) * sign > 0) best = value;
    }
    return best ?? celError(`${name} called on empty list`);
  };
}

const zeros = { int: 0n, uint: celUint(0n), double: 0, duration: celDuration(0n) } as const;

function sumFrom(zero: CelValue) {
  return (list: CelList): CelResult => {
    let total: CelValue = zero;
    for (const value of elementsOf(list)) {
      const next = add(total, value);
      if (typeof next === 'object' && next !== null && 'message' in next) return next;
      total = next;
    }
    return total;
  };
}

function add(total: CelValue, value: CelValue): CelResult {
  if (typeof total === 'bigint' && typeof value === 'bigint') {
    const sum = total + value;
    return sum < int64Min || sum > int64Max ? integerOverflow : sum;
  }
  if (typeof total === 'number' && typeof value === 'number') return total + value;
  if (typeof total !== 'object' || typeof value !== 'object') return noSuchOverload;
  if (total === null || value === null || !('kind' in total) || !('kind' in value)) {
    return noSuchOverload;
  }
  if (total.kind === 'uint' && value.kind === 'uint') {
    const sum = total.value + value.value;
    return sum > uint64Max ? unsignedIntegerOverflow : celUint(sum);
  }
  if (total.kind !== 'duration' || value.kind !== 'duration') return noSuchOverload;
  const sum = total.nanoseconds + value.nanoseconds;
  return sum < int64Min || sum > int64Max ? durationOverflow : celDuration(sum);
}

function indexOf(list: CelList, wanted: CelValue): bigint {
  for (let index = 0; index < list.size; index++) {
    if (isEqual(list.get(index), wanted)) return BigInt(index);
  }
  return -1n;
}

function lastIndexOf(list: CelList, wanted: CelValue): bigint {
  for (let index = list.size - 1; index >= 0; index--) {
    if (isEqual(list.get(index), wanted)) return BigInt(index);
  }
  return -1n;
}

function extremeFunction(name: 'min' | 'max'): FunctionDeclaration {
  const overloads = Object.entries(comparable).map(([type, of]) =>
    memberOverload(`list_${type}_${name}_${type}`, [[listType(of)], of], extreme(name)),
  );
  return declareFunction(name, ...overloads);
}

const sums = (Object.keys(summable) as (keyof typeof summable)[]).map((type) =>
  memberOverload(
    `list_${type}_sum_${type}`,
    [[listType(summable[type])], summable[type]],
    sumFrom(zeros[type]),
  ),
);

export const listLibrary: Library = {
  name: 'kubernetes.lists',
  functions: [
    declareFunction(
      'isSorted',
      ...Object.entries(comparable).map(([type, of]) =>
        memberOverload(`list_${type}_is_sorted_bool`, [[listType(of)], bool], isSorted),
      ),
    ),
    declareFunction('sum', ...sums),
    extremeFunction('max'),
    extremeFunction('min'),
    declareFunction(
      'indexOf',
      memberOverload('list_a_index_of_int', [[listType(element), element], int], indexOf),
    ),
    declareFunction(
      'lastIndexOf',
      memberOverload('list_a_last_index_of_int', [[listType(element), element], int], lastIndexOf),
    ),
  ],
};
