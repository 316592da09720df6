// Which finished pods are too many, and which nodes have been declared out of service.

import { isConditionTrue } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { isPodFinished } from '../pods/pod-state.ts';

/** A taint: an administrator says that the node will not come back as it was (KEP-2268). */
export const outOfServiceKey = 'node.kubernetes.io/out-of-service';

/** The oldest, evicted ones before others. */
export function surplusFinishedPods(pods: readonly Pod[], finishedMax: number): readonly Pod[] {
  const finished = pods.filter(isPodFinished);
  if (finished.length <= finishedMax) return [];
  const rank = ({ status }: Pod) => (status?.reason === 'Evicted' ? 0 : 1);
  const textOf = ({ metadata }: Pod) =>
    `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
  return finished
    .toSorted((a, b) => rank(a) - rank(b) || (textOf(a) < textOf(b) ? -1 : 1))
    .slice(0, finished.length - finishedMax);
}

/** The node is not ready, and declared so: what a pod tolerates does not help it to end. */
export function isOutOfService(node: Node | undefined): boolean {
  const isReady = isConditionTrue(node?.status?.conditions, 'Ready');
  return !isReady && (node?.spec?.taints ?? []).some(({ key }) => key === outOfServiceKey);
}
