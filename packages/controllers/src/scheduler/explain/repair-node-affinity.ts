// Labels that a node lacks for the selector and the required affinity of a pod, and what the pod
// could do without.

import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
} from '@keelson/apimachinery/types/core.v1';
import { compileNodeTerm } from '../snapshot/node-selector.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import { changeNode, changePod, withSpec, type Change } from './change.ts';
import type { Refusal } from './refusal.ts';

export function repairNodeAffinity({ pod, node }: Refusal): Change[] {
  const { nodeSelector = {}, affinity } = pod.pod.spec;
  const missing = Object.entries(nodeSelector).find(([key, value]) => node.labels[key] !== value);
  if (missing !== undefined) {
    const [key, value] = missing;
    const { [key]: _dropped, ...rest } = nodeSelector;
    return [
      labelNode(node, [[key, value]]),
      changePod(pod, `ask for no node with the label ${key}=${value}`, (changed) =>
        withSpec(changed, { nodeSelector: rest }),
      ),
    ];
  }
  const terms =
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const labelled = terms.flatMap((term) => {
    const labels = labelsFor(term, node);
    return labels === undefined ? [] : [labelNode(node, labels)];
  });
  const drop = changePod(pod, 'require no node affinity', (changed) => {
    const { requiredDuringSchedulingIgnoredDuringExecution: _required, ...preferred } =
      changed.spec.affinity?.nodeAffinity ?? {};
    return withSpec(changed, { affinity: { ...changed.spec.affinity, nodeAffinity: preferred } });
  });
  return [...labelled, drop];
}

type Label = readonly [key: string, value: string | undefined];

/** `undefined` as a value: the label goes. */
export function labelNode({ name, labels }: NodeState, changes: readonly Label[]): Change {
  const parts = changes.map(([key, value]) => {
    if (value === undefined) return `remove the label ${key}`;
    return `${labels[key] === undefined ? 'add' : 'change'} the label ${key}=${value}`;
  });
  return changeNode(name, `${parts.join(', ')} on node ${name}`, (node: Node) => {
    const now = { ...node.metadata.labels };
    for (const [key, value] of changes) {
      if (value === undefined) delete now[key];
      else now[key] = value;
    }
    return { ...node, metadata: { ...node.metadata, labels: now } };
  });
}

/** What would make the node match the term; undefined when no label can. */
function labelsFor(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  node: NodeState,
): Label[] | undefined {
  if (matchFields.length > 0 && !compileNodeTerm({ matchFields })(node)) return undefined;
  const wrong = matchExpressions.filter(
    (requirement) => !compileNodeTerm({ matchExpressions: [requirement] })(node),
  );
  const labels = wrong.map(labelFor);
  return labels.length === 0 || labels.includes(undefined) ? undefined : (labels as Label[]);
}

function labelFor({ key, operator, values = [] }: NodeSelectorRequirement): Label | undefined {
  const [first = ''] = values;
  switch (operator) {
    case 'In':
      return [key, first];
    case 'Exists':
      return [key, ''];
    case 'NotIn':
    case 'DoesNotExist':
      return [key, undefined];
    case 'Gt':
    case 'Lt': {
      if (!/^-?\d+$/.test(first)) return undefined;
      return [key, String(BigInt(first) + (operator === 'Gt' ? 1n : -1n))];
    }
    default:
      return undefined;
  }
}
