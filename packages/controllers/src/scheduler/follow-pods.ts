// What the scheduler takes notice of when pods come, change and go: those that have a place are
// counted there, the others wait in the queue, with the node that they were promised.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { isPodFinished } from '../pods/pod-state.ts';
import { groupNameOf } from './gangs/pod-group-tracker.ts';
import type { NominatedPods } from './nominated-pods.ts';
import type { ClusterEvent } from './queue/cluster-event.ts';
import type { AttemptTools } from './scheduling-attempt.ts';
import { profileFor } from './scheduling-profile.ts';
import { summarizePod, type PodSummary } from './snapshot/pod-summary.ts';

export function followPods(tools: AttemptTools) {
  const { cluster, nominated, queue } = tools;
  const leave = (pod: Pod) => {
    const uid = pod.metadata.uid ?? '';
    const wasPlaced = cluster.nodeOf(uid) !== undefined;
    const wasPromised = nominated.nodeOf(uid) !== undefined;
    queue.remove(uid);
    nominated.remove(uid);
    cluster.removePod(uid);
    if (wasPlaced) queue.happened({ kind: 'pod-deleted', pod });
    else if (wasPromised) freePromise(queue, pod);
  };
  // Its binding, if it is still to come, will be refused.
  const leaveAssumed = (pod: Pod) => {
    cluster.forget(pod.metadata.uid ?? '');
    queue.happened({ kind: 'pod-deleted', pod });
  };
  const put = (pod: Pod, old?: Pod) => {
    const { uid = '' } = pod.metadata;
    const { nodeName = '' } = pod.spec;
    if (isPodFinished(pod)) return leave(pod);
    if (nodeName !== '') {
      queue.remove(uid);
      nominated.remove(uid);
      cluster.putPod(summarizePod(pod), nodeName);
      // One that was bound is new where it is.
      const wasThere = (old?.spec.nodeName ?? '') !== '';
      const event: ClusterEvent = { kind: 'placed-pod', pod, ...(wasThere && old && { old }) };
      return queue.happened(event);
    }
    if (cluster.isAssumed(uid)) return isLeaving(pod, old) ? leaveAssumed(pod) : undefined;
    if (profileFor(tools, pod) === undefined) return;
    const summary = summarizePod(pod);
    followPromise(nominated, summary, old);
    queue.put(summary, old !== undefined && isHelpfulUpdate(pod, old));
    if (old === undefined && groupNameOf(pod) !== undefined)
      queue.happened({ kind: 'waiting-pod', pod });
    if (old !== undefined && hasLostPromise(pod, old)) freePromise(queue, old);
  };
  return { onAdd: (pod: Pod) => put(pod), onUpdate: put, onDelete: leave };
}

function isLeaving({ metadata }: Pod, old: Pod | undefined): boolean {
  return metadata.deletionTimestamp !== undefined && old?.metadata.deletionTimestamp === undefined;
}

/** A promise may be written by others; what was decided here and not yet written stands. */
function followPromise(nominated: NominatedPods, pod: PodSummary, old: Pod | undefined): void {
  const { nominatedNodeName: promised = '' } = pod.pod.status ?? {};
  const known = nominated.nodeOf(pod.uid);
  if (promised !== '') nominated.put(pod, promised);
  else if ((old?.status?.nominatedNodeName ?? '') !== '') nominated.remove(pod.uid);
  else if (known !== undefined) nominated.put(pod, known);
}

function hasLostPromise({ status }: Pod, { status: before }: Pod): boolean {
  const { nominatedNodeName = '' } = before ?? {};
  return nominatedNodeName !== '' && nominatedNodeName !== status?.nominatedNodeName;
}

/** Pods that count for no more than it took the room that it was promised for taken. */
function freePromise(queue: AttemptTools['queue'], pod: Pod): void {
  const { priority = 0 } = pod.spec;
  queue.happened({ kind: 'pod-deleted', pod }, (other) => other.priority <= priority);
}

/** The pod asks for something else than before; what the scheduler wrote about it does not count. */
function isHelpfulUpdate(pod: Pod, old: Pod): boolean {
  return (
    pod.metadata.generation !== old.metadata.generation ||
    JSON.stringify(pod.metadata.labels) !== JSON.stringify(old.metadata.labels) ||
    JSON.stringify(pod.status?.resourceClaimStatuses) !==
      JSON.stringify(old.status?.resourceClaimStatuses)
  );
}
