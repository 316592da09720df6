/**
 * Lists: over values that are there, and over any other source that has a length.
 */

import { celError, fatalError } from './error.ts';
import type { CelList, CelValue } from './value.ts';

/** A list of values. The array is not copied and must not change afterwards. */
export function celList(elements: readonly CelValue[]): CelList {
  return new ArrayList(elements);
}

/** A list whose elements are adapted when they are read, each at most once. */
export function lazyList<T>(source: readonly T[], adapt: (element: T) => CelValue): CelList {
  return new AdaptedList(source, adapt);
}

/** The elements, in order. */
export function* elementsOf(list: CelList): Iterable<CelValue> {
  for (let index = 0; index < list.size; index++) yield list.get(index);
}

/** Appending a list to itself doubles it at no cost, until somebody reads it. */
export const listSizeMax = 2 ** 22;

/** What ends an evaluation that makes a longer one. */
export const listTooLong = 'operation cancelled: list too long';

/** The list with `right` appended, unless `left` has its own idea of `+`. */
export function concatLists(
  left: CelList,
  right: CelList,
): ReturnType<NonNullable<CelList['concat']>> {
  if (left.concat !== undefined) return left.concat(right);
  if (right.size === 0) return left;
  if (left.size === 0 && right.concat === undefined) return right;
  if (left.size + right.size > listSizeMax) return fatalError(listTooLong);
  return new ConcatList(left, right);
}

// A class for the sake of speed: its instances share one shape, and lists are read in the innermost
// loops.
class ArrayList implements CelList {
  readonly kind = 'list';
  readonly size: number;
  readonly #elements: readonly CelValue[];

  constructor(elements: readonly CelValue[]) {
    this.size = elements.length;
    this.#elements = elements;
  }

  get(index: number): CelValue {
    const element = this.#elements[index];
    if (element === undefined) throw new RangeError(`index ${index} of ${this.size} elements`);
    return element;
  }
}

class AdaptedList<T> implements CelList {
  readonly kind = 'list';
  readonly size: number;
  readonly #source: readonly T[];
  readonly #adapt: (element: T) => CelValue;
  readonly #adapted: (CelValue | undefined)[] = [];

  constructor(source: readonly T[], adapt: (element: T) => CelValue) {
    this.size = source.length;
    this.#source = source;
    this.#adapt = adapt;
  }

  get(index: number): CelValue {
    const known = this.#adapted[index];
    if (known !== undefined) return known;
    if (index < 0 || index >= this.size) {
      throw new RangeError(`index ${index} of ${this.size} elements`);
    }
    // Holes are impossible below `size`; an undefined element is the adapter's to judge.
    const value = this.#adapt(this.#source[index] as T);
    this.#adapted[index] = value;
    return value;
  }
}

// Appending in a loop makes a deep tree of these, so reading flattens without recursion.
class ConcatList implements CelList {
  readonly kind = 'list';
  readonly size: number;
  #parts: readonly [CelList, CelList] | undefined;
  #elements: CelValue[] | undefined;

  constructor(left: CelList, right: CelList) {
    this.size = left.size + right.size;
    this.#parts = [left, right];
  }

  get(index: number): CelValue {
    this.#elements ??= this.#flatten();
    const element = this.#elements[index];
    if (element === undefined) throw new RangeError(`index ${index} of ${this.size} elements`);
    return element;
  }

  #flatten(): CelValue[] {
    const chunks: CelList[] = [];
    const stack: CelList[] = [this];
    for (let list = stack.pop(); list !== undefined; list = stack.pop()) {
      if (list instanceof ConcatList && list.#parts !== undefined) stack.push(...list.#parts);
      else chunks.push(list);
    }
    const elements: CelValue[] = [];
    for (const chunk of chunks.reverse()) {
      for (let index = 0; index < chunk.size; index++) elements.push(chunk.get(index));
    }
    this.#parts = undefined;
    return elements;
  }
}

/** The error of an index that a list does not have. */
export function indexOutOfBounds(index: bigint | number): ReturnType<typeof celError> {
  return celError(`index out of bounds: ${index}`);
}
