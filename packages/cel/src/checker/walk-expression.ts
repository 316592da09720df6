/**
 * Visits the nodes of a tree.
 */

import type { Expression } from '../ast/expression.ts';

/** The nodes right below a node, in the order of evaluation. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'constant':
    case 'identifier':
      return [];
    case 'select':
      return [expression.operand];
    case 'call':
      return expression.target === undefined
        ? expression.arguments
        : [expression.target, ...expression.arguments];
    case 'list':
      return expression.elements;
    case 'map':
      return expression.entries.flatMap((entry) => [entry.key, entry.value]);
    case 'struct':
      return expression.fields.map((field) => field.value);
    case 'comprehension':
      return [
        expression.range,
        expression.accumulatorInit,
        expression.loopCondition,
        expression.loopStep,
        expression.result,
      ];
  }
}

/**
 * Calls `visit` for every node, parents first, each node once, with the nodes above it (the
 * outermost first).
 */
export function walkExpression(
  root: Expression,
  visit: (expression: Expression, ancestors: readonly Expression[]) => void,
): void {
  const seen = new Set<Expression>();
  const ancestors: Expression[] = [];
  const walk = (expression: Expression): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    visit(expression, ancestors);
    ancestors.push(expression);
    for (const child of childrenOf(expression)) walk(child);
    ancestors.pop();
  };
  walk(root);
}
