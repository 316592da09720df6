/**
 * How deep a text may nest: its rules while they are read, and the tree that is made of it. Chains
 * such as `a.b.c` nest in the tree though not in the text.
 */

import type { Expression } from '../ast/expression.ts';
import { WritableNodeTable } from '../ast/node-table.ts';

/** Rules whose nesting is bounded while reading. */
export type NestedRule = 'expression' | 'relation' | 'calculation';

/** Reading stops: the text or its tree nests too deep. */
export class DepthExceeded extends Error {}

/** The depths of one text. */
export class DepthBound {
  readonly #max: number;
  readonly #depths: Record<NestedRule, number> = { expression: 0, relation: 0, calculation: 0 };
  readonly #heights = new WritableNodeTable<number>();

  constructor(max: number) {
    this.#max = max;
  }

  enter(rule: NestedRule): void {
    if (++this.#depths[rule] <= this.#max) return;
    throw new DepthExceeded(`expression recursion limit exceeded: ${this.#max}`);
  }

  leave(rule: NestedRule, expression: Expression): Expression {
    this.#depths[rule]--;
    return expression;
  }

  /** A node that is one higher than the highest of its children. */
  raise(expression: Expression, children: readonly Expression[]): Expression {
    const height = 1 + this.#highest(children);
    if (height >= this.#max) throw new DepthExceeded('max recursion depth exceeded');
    this.#heights.set(expression.id, height);
    return expression;
  }

  /** A node that counts for no height of its own. */
  inherit(expression: Expression, children: readonly Expression[]): Expression {
    const height = this.#highest(children);
    if (height > 0) this.#heights.set(expression.id, height);
    return expression;
  }

  #highest(children: readonly Expression[]): number {
    let highest = 0;
    for (const { id } of children) highest = Math.max(highest, this.#heights.get(id) ?? 0);
    return highest;
  }
}
