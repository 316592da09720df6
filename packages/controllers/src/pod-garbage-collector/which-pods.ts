// Which finished pods are too many, and which nodes have been declared out of service.

import { isConditionTrue } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { isPodFinished } from '../pods/pod-state.ts';
import { isTolerated } from '../pods/tolerations.ts';

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

/** The node is silent and declared so, and the pod does not tolerate that. */
export function isOutOfService(node: Node | undefined, pod: Pod): boolean {
  const isReady = isConditionTrue(node?.status?.conditions, 'Ready');
  const taint = node?.spec?.taints?.find(({ key }) => key === outOfServiceKey);
  if (taint === undefined || isReady) return false;
  return !isTolerated(taint, pod.spec?.tolerations ?? []);
}
