/**
 * What checking adds to a tree: types, and what names and calls refer to.
 */

import type { Expression } from '../ast/expression.ts';
import type { NodeTable } from '../ast/node-table.ts';
import type { CelType } from '../types/type.ts';
import type { CelValue } from '../values/value.ts';

/** What a node refers to. */
export interface Reference {
  /** The full name of a variable, constant, type or function. */
  readonly name: string;
  /** The value, of constants and types. */
  readonly value?: CelValue;
  /** The overloads that can apply, of calls. */
  readonly overloadIds?: readonly string[];
  /** The target of the call is part of the function's name, as in `optional.of(1)`. */
  readonly isNamespaced?: true;
}

/** A tree whose names are resolved. */
export interface CheckedExpression {
  readonly expression: Expression;
  readonly types: NodeTable<CelType>;
  readonly references: NodeTable<Reference>;
  readonly offsets: NodeTable<number>;
  /** The variables of the environment that are used. */
  readonly variables: ReadonlySet<string>;
}
