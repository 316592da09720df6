// What the scheduler takes notice of when nodes come, change and go.

import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { AttemptTools } from './scheduling-attempt.ts';

export function followNodes({ cluster, queue }: Pick<AttemptTools, 'cluster' | 'queue'>) {
  const put = (node: Node, old?: Node) => {
    cluster.putNode(node);
    if (old === undefined || isRelevantChange(node, old))
      queue.happened({ kind: 'node', node, ...(old !== undefined && { old }) });
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

/** Heartbeats say nothing new. */
function isRelevantChange(node: Node, old: Node): boolean {
  const facts = ({ metadata, spec, status }: Node) =>
    JSON.stringify([
      metadata.labels,
      metadata.annotations,
      spec,
      status?.allocatable,
      status?.conditions?.map(({ type, status: value }) => [type, value]),
    ]);
  return facts(node) !== facts(old);
}
