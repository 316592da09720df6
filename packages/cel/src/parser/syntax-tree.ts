/**
 * What parsing gives: a tree with positions, or issues.
 */

import type { Expression } from '../ast/expression.ts';
import type { NodeTable } from '../ast/node-table.ts';
import type { Issue } from '../issue.ts';

/** A parsed expression. */
export interface SyntaxTree {
  readonly expression: Expression;
  /** Where each node stands, by id, as an offset in UTF-16 units. */
  readonly offsets: NodeTable<number>;
}

/** Either a tree or what is wrong. */
export type ParseOutcome =
  | { readonly tree: SyntaxTree; readonly issues?: undefined }
  | { readonly tree?: undefined; readonly issues: readonly Issue[] };
