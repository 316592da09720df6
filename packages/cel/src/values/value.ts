/**
 * What an expression can evaluate to.
 *
 * Scalars are JavaScript's own: `null`, `boolean`, `string`, `number` for double, `bigint` for int
 * (always within int64) and `Uint8Array` for bytes. Everything else is an object with a `kind`.
 * Lists, maps and objects are small interfaces, so that data can stay as it is and be adapted when
 * it is read.
 *
 * A failure is a value too (`CelError`), because `||`, `&&` and the macros may absorb it. Nothing
 * here throws.
 */

import type { CelType } from '../types/type.ts';

/** The value of a uint: an unsigned 64 bit integer, kept apart from int. */
export interface CelUint {
  readonly kind: 'uint';
  readonly value: bigint;
}

/** An instant, in nanoseconds since 1970-01-01T00:00:00Z; years 1 to 9999. */
export interface CelTimestamp {
  readonly kind: 'timestamp';
  readonly nanoseconds: bigint;
}

/** A length of time in nanoseconds, within int64. */
export interface CelDuration {
  readonly kind: 'duration';
  readonly nanoseconds: bigint;
}

/**
 * A list. Elements may be adapted when they are read; reading the same index twice gives equal
 * values.
 */
export interface CelList {
  readonly kind: 'list';
  readonly size: number;
  /** The element at an index from 0 to `size - 1`. Callers check the range. */
  get(index: number): CelValue;
  /** Replaces element-wise equality, for lists that are sets or maps by their schema. */
  equals?(other: CelList): boolean;
  /** Replaces appending in `this + other`. */
  concat?(other: CelList): CelResult;
}

/** A map. Keys are bool, int, uint or string; `1`, `1u` and `1.0` find the same entry. */
export interface CelMap {
  readonly kind: 'map';
  readonly size: number;
  /**
   * The value of a key, or undefined when there is none (or the key has a type that keys cannot
   * have).
   */
  get(key: CelValue): CelValue | undefined;
  keys(): Iterable<CelValue>;
  /** Replaces entry-wise equality. */
  equals?(other: CelMap): boolean;
}

/** A value of a declared object type, whose fields a `TypeProvider` knows. */
export interface CelObject {
  readonly kind: 'object';
  readonly type: CelType;
  /** The value of a field, its default included; undefined is the error `no such key: <field>`. */
  get(field: string): CelResult | undefined;
  /** Whether `has(object.field)` holds: the field is set. */
  has(field: string): boolean;
  /** Names of the fields that are set. */
  fields(): Iterable<string>;
  /** Replaces equality of type and set fields. */
  equals?(other: CelObject): boolean;
}

/**
 * A value of a type that only functions can look into. Libraries extend this interface with what
 * they hold.
 */
export interface CelOpaque {
  readonly kind: 'opaque';
  readonly type: CelType;
  /** Whether another value, of any type, equals this one. */
  equals(other: CelValue): boolean;
  /**
   * Whether `==` may compare it with another value; where not, it is `no such overload`. Absent:
   * always.
   */
  isComparableTo?(other: CelValue): boolean;
}

/** A value that may be absent; `value` is undefined for `optional.none()`. */
export interface CelOptional {
  readonly kind: 'optional';
  readonly value: CelValue | undefined;
}

/** A type as a value: what `type(x)` gives and what `int` is when it is not called. */
export interface CelTypeValue {
  readonly kind: 'type';
  readonly type: CelType;
}

/** A failed evaluation. `message` is the text that users see, without position. */
export interface CelError {
  readonly kind: 'error';
  readonly message: string;
  /**
   * Set when evaluation was given up: such an error ends the whole program and is never absorbed.
   */
  readonly fatal?: true;
}

/** Any value that is not an error. */
export type CelValue =
  | null
  | boolean
  | string
  | number
  | bigint
  | Uint8Array
  | CelUint
  | CelTimestamp
  | CelDuration
  | CelList
  | CelMap
  | CelObject
  | CelOpaque
  | CelOptional
  | CelTypeValue;

/** What a function returns: a value, or the reason why there is none. */
export type CelResult = CelValue | CelError;

/** The name of a value's run-time type, one word per alternative of `CelValue`. */
export type CelValueKind =
  | 'null'
  | 'bool'
  | 'string'
  | 'double'
  | 'int'
  | 'bytes'
  | 'uint'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'object'
  | 'opaque'
  | 'optional'
  | 'type'
  | 'error';

/** Which alternative of `CelResult` a value is. */
export function kindOf(value: CelResult): CelValueKind {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'double';
    default:
      if (value === null) return 'null';
      return value instanceof Uint8Array ? 'bytes' : value.kind;
  }
}

/** Whether evaluation failed. */
export function isError(value: CelResult): value is CelError {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'error';
}

/** Whether a value is a list. */
export function isList(value: CelResult): value is CelList {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'list';
}

/** Whether a value is a map. */
export function isMap(value: CelResult): value is CelMap {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'map';
}

/** Whether a value is an opaque value, such as those that libraries define. */
export function isOpaque(value: CelResult): value is CelOpaque {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'opaque';
}

/** Whether a value is an optional. */
export function isOptional(value: CelResult): value is CelOptional {
  return (
    typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'optional'
  );
}
