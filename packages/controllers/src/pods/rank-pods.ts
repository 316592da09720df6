// Which pods go first when there are too many: those that serve least. The order is that of
// https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset, with
// KEP-2185 for ages by magnitude and KEP-2255 for pod-deletion-cost.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { isPodReady, readySince } from './pod-state.ts';

const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const phases = ['Pending', 'Unknown', 'Running'];

/**
 * The same pods, those to delete first at the start. `related` are active pods of the same
 * workload: of two pods that one goes that shares its node with more of them.
 */
export function rankForDeletion(pods: readonly Pod[], related: readonly Pod[], now: number): Pod[] {
  const perNode = Map.groupBy(related, (pod) => pod.spec.nodeName ?? '');
  const neighbours = ({ spec }: Pod) => perNode.get(spec.nodeName ?? '')?.length ?? 0;
  const comparisons = [
    ascending<Pod>(({ spec }) => ((spec.nodeName ?? '') === '' ? 0 : 1)),
    ascending<Pod>(({ status }) => phases.indexOf(status?.phase ?? '')),
    ascending<Pod>((pod) => (isPodReady(pod) ? 1 : 0)),
    ascending<Pod>(deletionCost),
    ascending<Pod>((pod) => -neighbours(pod)),
    youngerFirst((pod) => (isPodReady(pod) ? readySince(pod) : undefined), now),
    ascending<Pod>((pod) => -restarts(pod)),
    youngerFirst(({ metadata }) => Date.parse(metadata.creationTimestamp ?? ''), now),
    byUid,
  ];
  return pods.toSorted((a, b) => {
    for (const compare of comparisons) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  });
}

type Comparison = (a: Pod, b: Pod) => number;

function ascending<T>(valueOf: (value: T) => number): (a: T, b: T) => number {
  return (a, b) => valueOf(a) - valueOf(b);
}

/**
 * Ages count by their order of magnitude, so that chance decides between pods of about the same
 * age: whoever always removed the youngest would empty the zone that was filled last.
 */
function youngerFirst(timeOf: (pod: Pod) => number | undefined, now: number): Comparison {
  const magnitude = (time: number) => Math.floor(Math.log2(Math.max(1, (now - time) * 1e6)));
  return (a, b) => {
    const [atA, atB] = [timeOf(a), timeOf(b)];
    if (atA === undefined || atB === undefined || atA === atB || Number.isNaN(atA - atB)) return 0;
    return magnitude(atA) - magnitude(atB);
  };
}

const byUid: Comparison = (a, b) =>
  (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : a.metadata.uid === b.metadata.uid ? 0 : 1;

/** What is not a 32-bit integer counts as none: the API takes it in templates. */
function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[deletionCostAnnotation] ?? '0';
  const value = /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : 0;
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : 0;
}

function restarts({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}
