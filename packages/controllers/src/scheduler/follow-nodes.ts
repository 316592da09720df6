// What the scheduler takes notice of when nodes come, change and go.

import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { NodeFact } from './queue/cluster-event.ts';
import type { AttemptTools } from './scheduling-attempt.ts';

export function followNodes({ cluster, queue }: Pick<AttemptTools, 'cluster' | 'queue'>) {
  const put = (node: Node, old?: Node) => {
    cluster.putNode(node);
    const changed = changedFacts(node, old);
    if (changed.size > 0)
      queue.happened({ kind: 'node', node, changed, ...(old !== undefined && { old }) });
  };
  return {
    onAdd: (node: Node) => put(node),
    onUpdate: put,
    onDelete(node: Node) {
      cluster.removeNode(node.metadata.name ?? '');
      queue.happened({ kind: 'node-deleted', node });
    },
  };
}

const facts: Readonly<Record<NodeFact, (node: Node) => unknown>> = {
  labels: ({ metadata }) => metadata.labels,
  annotations: ({ metadata }) => metadata.annotations,
  taints: ({ spec }) => spec?.taints,
  unschedulable: ({ spec }) => spec?.unschedulable,
  allocatable: ({ status }) => status?.allocatable,
  declaredFeatures: ({ status }) => status?.declaredFeatures,
  conditions: ({ status }) => status?.conditions?.map(({ type, status: value }) => [type, value]),
};
const allFacts = Object.keys(facts) as NodeFact[];

function changedFacts(node: Node, old: Node | undefined): ReadonlySet<NodeFact> {
  if (old === undefined) return new Set(allFacts);
  const differs = (fact: NodeFact) =>
    JSON.stringify(facts[fact](node)) !== JSON.stringify(facts[fact](old));
  return new Set(allFacts.filter(differs));
}
