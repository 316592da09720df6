/**
 * Makes nodes with fresh ids, for the parser and for macros. Nodes that a macro makes are
 * positioned at the macro.
 */

import type { ComprehensionExpression, ConstantValue, Expression, MapEntry } from './expression.ts';

/** Makes nodes; each call takes the next id. */
export interface ExpressionFactory {
  nextId(): number;
  constant(value: ConstantValue): Expression;
  identifier(name: string): Expression;
  select(operand: Expression, field: string): Expression;
  test(operand: Expression, field: string): Expression;
  call(name: string, ...values: Expression[]): Expression;
  memberCall(name: string, target: Expression, ...values: Expression[]): Expression;
  list(...elements: Expression[]): Expression;
  map(...entries: Omit<MapEntry, 'id'>[]): Expression;
  comprehension(parts: Omit<ComprehensionExpression, 'id' | 'kind'>): Expression;
}

/** A factory that takes ids from `nextId`. */
export function createExpressionFactory(nextId: () => number): ExpressionFactory {
  const call = (
    name: string,
    target: Expression | undefined,
    values: Expression[],
  ): Expression => ({
    id: nextId(),
    kind: 'call',
    function: name,
    target,
    arguments: values,
  });
  return {
    nextId,
    constant: (value) => ({ id: nextId(), kind: 'constant', value }),
    identifier: (name) => ({ id: nextId(), kind: 'identifier', name }),
    select: (operand, field) => ({ id: nextId(), kind: 'select', operand, field, isTest: false }),
    test: (operand, field) => ({ id: nextId(), kind: 'select', operand, field, isTest: true }),
    call: (name, ...values) => call(name, undefined, values),
    memberCall: (name, target, ...values) => call(name, target, values),
    list: (...elements) => ({ id: nextId(), kind: 'list', elements, optionalIndices: [] }),
    map: (...entries) => ({
      id: nextId(),
      kind: 'map',
      entries: entries.map((entry) => ({ id: nextId(), ...entry })),
    }),
    comprehension: (parts) => ({ id: nextId(), kind: 'comprehension', ...parts }),
  };
}
