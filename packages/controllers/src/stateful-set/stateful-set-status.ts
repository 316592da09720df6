// The status of a StatefulSet, as its pods are now.

import type { StatefulSet, StatefulSetStatus } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { isPodAvailable, isPodReady } from '../pods/pod-state.ts';
import { replicasOf, revisionOf } from './identity.ts';

export interface RevisionNames {
  readonly current: string;
  readonly update: string;
  readonly collisions: number;
}

export function statefulSetStatus(
  set: StatefulSet,
  pods: readonly Pod[],
  { current, update, collisions }: RevisionNames,
  now: number,
): StatefulSetStatus {
  const { metadata, spec, status } = set;
  const created = pods.filter((pod) => (pod.status?.phase ?? '') !== '');
  const staying = created.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod));
  const ofRevision = (name: string) => staying.filter((pod) => revisionOf(pod) === name).length;
  const counted: StatefulSetStatus = {
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    replicas: created.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, spec.minReadySeconds ?? 0, now))
      .length,
    currentReplicas: ofRevision(current),
    updatedReplicas: ofRevision(update),
    currentRevision: current,
    updateRevision: update,
    collisionCount: collisions,
    ...(status?.conditions !== undefined && { conditions: status.conditions }),
  };
  return isRolledOut(set, counted)
    ? { ...counted, currentReplicas: counted.updatedReplicas ?? 0, currentRevision: update }
    : counted;
}

/** From then on the new revision is the current one. */
function isRolledOut(set: StatefulSet, status: StatefulSetStatus): boolean {
  const wanted = replicasOf(set);
  return (
    set.spec.updateStrategy?.type !== 'OnDelete' &&
    status.updatedReplicas === wanted &&
    status.readyReplicas === wanted &&
    status.replicas === wanted
  );
}
