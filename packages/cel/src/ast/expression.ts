/**
 * The syntax tree, after macros. Every node has an id that is unique in its tree; positions, types
 * and references are kept beside the tree under that id.
 */

import type { CelUint } from '../values/value.ts';

/** A literal as it stands in the source. */
export type ConstantValue = null | boolean | string | number | bigint | Uint8Array | CelUint;

/** A literal. */
export interface ConstantExpression {
  readonly id: number;
  readonly kind: 'constant';
  readonly value: ConstantValue;
}

/** A name. A leading dot, which means "from the root", is kept in the name. */
export interface IdentifierExpression {
  readonly id: number;
  readonly kind: 'identifier';
  readonly name: string;
}

/** `operand.field`, or `has(operand.field)` when `isTest`. */
export interface SelectExpression {
  readonly id: number;
  readonly kind: 'select';
  readonly operand: Expression;
  readonly field: string;
  readonly isTest: boolean;
}

/** A call. Operators are calls too, of functions such as `_+_`. */
export interface CallExpression {
  readonly id: number;
  readonly kind: 'call';
  readonly function: string;
  /** The receiver of `target.f()`, if written so. */
  readonly target: Expression | undefined;
  readonly arguments: readonly Expression[];
}

/** `[a, ?b]`. */
export interface ListExpression {
  readonly id: number;
  readonly kind: 'list';
  readonly elements: readonly Expression[];
  /** Indices of the elements written with `?`. */
  readonly optionalIndices: readonly number[];
}

/** One `key: value` of a map literal. */
export interface MapEntry {
  readonly id: number;
  readonly key: Expression;
  readonly value: Expression;
  readonly isOptional: boolean;
}

/** `{k: v, ?k: v}`. */
export interface MapExpression {
  readonly id: number;
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
}

/** One `field: value` of an object literal. */
export interface StructField {
  readonly id: number;
  readonly name: string;
  readonly value: Expression;
  readonly isOptional: boolean;
}

/** `TypeName{field: value}`. */
export interface StructExpression {
  readonly id: number;
  readonly kind: 'struct';
  readonly typeName: string;
  readonly fields: readonly StructField[];
}

/** The loop that macros such as `all` become. */
export interface ComprehensionExpression {
  readonly id: number;
  readonly kind: 'comprehension';
  readonly range: Expression;
  readonly iterationVariable: string;
  /** The second variable of two-variable macros; empty otherwise. */
  readonly iterationVariable2: string;
  readonly accumulator: string;
  readonly accumulatorInit: Expression;
  readonly loopCondition: Expression;
  readonly loopStep: Expression;
  readonly result: Expression;
}

/** Any node. */
export type Expression =
  | ConstantExpression
  | IdentifierExpression
  | SelectExpression
  | CallExpression
  | ListExpression
  | MapExpression
  | StructExpression
  | ComprehensionExpression;
