/**
 * Nodes with positions. Inside a macro's expansion every new node stands where the macro's call
 * stands.
 */

import { createExpressionFactory } from '../ast/expression-factory.ts';
import type { ExpressionFactory } from '../ast/expression-factory.ts';
import type { Expression } from '../ast/expression.ts';
import { WritableNodeTable, type NodeTable } from '../ast/node-table.ts';
import { operators } from '../operators.ts';

/** Gives out ids and remembers where they stand. */
export interface NodeBuilder {
  readonly offsets: NodeTable<number>;
  /** A new id at an offset. */
  idAt(offset: number): number;
  /** Makes nodes at the place of a macro call, until it is asked for another place. */
  factoryAt(offset: number): ExpressionFactory;
}

/** A builder whose first id is 1. */
export function createNodeBuilder(): NodeBuilder {
  const offsets = new WritableNodeTable<number>();
  let lastId = 0;
  const idAt = (offset: number): number => {
    offsets.set(++lastId, offset);
    return lastId;
  };
  let place = 0;
  let factory: ExpressionFactory | undefined;
  return {
    offsets,
    idAt,
    factoryAt(offset) {
      place = offset;
      return (factory ??= createExpressionFactory(() => idAt(place)));
    },
  };
}

/** Terms joined by one operator. */
export interface LogicalTerms {
  readonly function: typeof operators.and | typeof operators.or;
  readonly terms: readonly Expression[];
  /** Ids of the operators between the terms. */
  readonly operatorIds: readonly number[];
}

/** A tree of `&&` or `||` that is as flat as can be, so that long chains do not nest deeply. */
export function balance(logic: LogicalTerms): Expression {
  return balanceRange(logic, 0, logic.operatorIds.length - 1);
}

function balanceRange(logic: LogicalTerms, low: number, high: number): Expression {
  const middle = Math.floor((low + high + 1) / 2);
  const left = middle === low ? logic.terms[middle] : balanceRange(logic, low, middle - 1);
  const right = middle === high ? logic.terms[middle + 1] : balanceRange(logic, middle + 1, high);
  const id = logic.operatorIds[middle];
  if (left === undefined || right === undefined || id === undefined) {
    throw new Error('one operator fewer than terms');
  }
  return {
    id,
    kind: 'call',
    function: logic.function,
    target: undefined,
    arguments: [left, right],
  };
}
