/**
 * Equality of any two values. Values of different types are unequal, never an error; numbers are
 * compared by what they are worth, whatever their type; NaN equals nothing.
 */

import { isSameType } from '../types/same-type.ts';
import { entriesOf, toMapKey } from './map.ts';
import { compareNumbers, isNumber } from './ordering.ts';
import type { CelList, CelMap, CelObject, CelValue } from './value.ts';

/** Whether two values are equal. */
export function isEqual(left: CelValue, right: CelValue): boolean {
  if (left === right) return typeof left !== 'number' || !Number.isNaN(left);
  if (left === null || right === null) return false;
  if (isNumber(left)) return isNumber(right) && compareNumbers(left, right) === 0;
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  if (left instanceof Uint8Array || right instanceof Uint8Array) {
    return left instanceof Uint8Array && right instanceof Uint8Array && isSameBytes(left, right);
  }
  if (left.kind === 'opaque') return left.equals(right);
  if (left.kind !== right.kind) return false;
  return isSameKindEqual(left, right);
}

type Compound = Exclude<
  CelValue,
  null | boolean | string | number | bigint | Uint8Array | { readonly kind: 'opaque' }
>;

function isSameKindEqual(left: Compound, right: CelValue): boolean {
  switch (left.kind) {
    case 'uint':
      return false;
    case 'timestamp':
    case 'duration':
      return hasKind(right, left.kind) && left.nanoseconds === right.nanoseconds;
    case 'list':
      return hasKind(right, 'list') && isSameList(left, right);
    case 'map':
      return hasKind(right, 'map') && isSameMap(left, right);
    case 'object':
      return hasKind(right, 'object') && isSameObject(left, right);
    case 'optional':
      return hasKind(right, 'optional') && isSameContent(left.value, right.value);
    case 'type':
      return hasKind(right, 'type') && left.type.name === right.type.name;
  }
}

function hasKind<K extends Compound['kind']>(
  value: CelValue,
  kind: K,
): value is Extract<Compound, { readonly kind: K }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

function isSameContent(left: CelValue | undefined, right: CelValue | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return isEqual(left, right);
}

function isSameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function isSameList(left: CelList, right: CelList): boolean {
  if (left.equals !== undefined) return left.equals(right);
  if (left.size !== right.size) return false;
  for (let index = 0; index < left.size; index++) {
    if (!isEqual(left.get(index), right.get(index))) return false;
  }
  return true;
}

function isSameMap(left: CelMap, right: CelMap): boolean {
  if (left.equals !== undefined) return left.equals(right);
  if (left.size !== right.size) return false;
  for (const [key, value] of entriesOf(left)) {
    const other = right.get(key);
    if (other === undefined || !isEqual(value, other)) return false;
  }
  return true;
}

function isSameObject(left: CelObject, right: CelObject): boolean {
  if (left.equals !== undefined) return left.equals(right);
  if (!isSameType(left.type, right.type)) return false;
  const names = new Set(left.fields());
  const others = new Set(right.fields());
  if (names.size !== others.size) return false;
  for (const name of names) {
    if (!others.has(name)) return false;
    const mine = left.get(name);
    const its = right.get(name);
    if (mine === undefined || its === undefined) return false;
    if (hasErrorKind(mine) || hasErrorKind(its) || !isEqual(mine, its)) return false;
  }
  return true;
}

function hasErrorKind(
  value: ReturnType<CelObject['get']>,
): value is { kind: 'error'; message: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'error';
}

/** Whether a list has an element equal to a value. */
export function contains(list: CelList, value: CelValue): boolean {
  for (let index = 0; index < list.size; index++) {
    if (isEqual(list.get(index), value)) return true;
  }
  return false;
}

/** Whether a map has a key equal to a value. */
export function hasKey(map: CelMap, key: CelValue): boolean {
  return toMapKey(key) !== undefined && map.get(key) !== undefined;
}
