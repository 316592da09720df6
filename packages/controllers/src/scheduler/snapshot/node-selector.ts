// Selectors of nodes, by labels and by name: terms are alternatives, and an empty term selects
// nothing.

import type {
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
} from '@keelson/apimachinery/types/core.v1';
import type { NodeState } from './node-state.ts';

type NodeFacts = Pick<NodeState, 'name' | 'labels'>;
export type NodePredicate = (node: NodeFacts) => boolean;

export function compileNodeSelector({ nodeSelectorTerms }: NodeSelector): NodePredicate {
  const terms = (nodeSelectorTerms ?? []).map(compileNodeTerm);
  return (node) => terms.some((matches) => matches(node));
}

export function compileNodeTerm({
  matchExpressions = [],
  matchFields = [],
}: NodeSelectorTerm): NodePredicate {
  const requirements = [
    ...matchExpressions.map((r) => compileRequirement(r, ({ labels }) => labels[r.key])),
    ...matchFields.map((r) =>
      compileRequirement(r, ({ name }) => (r.key === 'metadata.name' ? name : undefined)),
    ),
  ];
  if (requirements.length === 0) return () => false;
  return (node) => requirements.every((matches) => matches(node));
}

function compileRequirement(
  { operator, values = [] }: NodeSelectorRequirement,
  valueOf: (node: NodeFacts) => string | undefined,
): NodePredicate {
  const set = new Set(values);
  const bound = integerOf(values[0]);
  switch (operator) {
    case 'In':
      return (node) => {
        const value = valueOf(node);
        return value !== undefined && set.has(value);
      };
    case 'NotIn':
      return (node) => {
        const value = valueOf(node);
        return value === undefined || !set.has(value);
      };
    case 'Exists':
      return (node) => valueOf(node) !== undefined;
    case 'DoesNotExist':
      return (node) => valueOf(node) === undefined;
    case 'Gt':
    case 'Lt':
      return (node) => {
        const value = integerOf(valueOf(node));
        if (value === undefined || bound === undefined) return false;
        return operator === 'Gt' ? value > bound : value < bound;
      };
    default:
      return () => false;
  }
}

function integerOf(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[-+]?[0-9]+$/.test(text)
    ? BigInt(text.replace('+', ''))
    : undefined;
}
