// How large each ReplicaSet of a Deployment should be now. Pure: what is there goes in, what is to
// be changed comes out.
//
// INVARIANT: what a rolling update plans never has more pods than replicas + maxSurge, unless there
// are that many already, and never takes an available pod away when no more than replicas -
// maxUnavailable are available.

import type { Deployment, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import { desiredReplicasOf, maxReplicasOf } from './annotations.ts';
import {
  allOf,
  byAge,
  sumOf,
  wantedReplicas,
  type ReplicaSetsOfDeployment,
} from './replica-sets.ts';
import { isRollingUpdate, rolloutBounds } from './rollout-bounds.ts';

export interface Resize {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

const availableOf = ({ status }: ReplicaSet) => status?.availableReplicas ?? 0;
const isActive = (set: ReplicaSet) => wantedReplicas(set) > 0;

/** How large the current ReplicaSet may be made beside the old ones. */
export function currentSize(
  deployment: Deployment,
  others: readonly ReplicaSet[],
  replicasNow: number,
): number {
  const { replicas, maxSurge } = rolloutBounds(deployment);
  if (!isRollingUpdate(deployment.spec.strategy?.type)) return replicas;
  const room = replicas + maxSurge - sumOf(others, wantedReplicas) - replicasNow;
  return room <= 0 ? replicasNow : replicasNow + Math.min(room, replicas - replicasNow);
}

/** One step of a rolling update for the current ReplicaSet; nothing when it has its size. */
export function stepCurrent(
  deployment: Deployment,
  { current, old }: ReplicaSetsOfDeployment,
): Resize[] {
  const { replicas } = rolloutBounds(deployment);
  if (current === undefined || wantedReplicas(current) === replicas) return [];
  const now = wantedReplicas(current);
  const size = now > replicas ? replicas : currentSize(deployment, old, now);
  return size === now ? [] : [{ set: current, replicas: size }];
}

/**
 * One step for the old ones, in the order in which it is done: first pods that serve nobody go, then
 * as many as may be missing, so that a ReplicaSet may be in it twice.
 */
export function stepOld(deployment: Deployment, sets: ReplicaSetsOfDeployment): Resize[] {
  const { replicas, maxUnavailable } = rolloutBounds(deployment);
  const { current, old } = sets;
  if (sumOf(old, wantedReplicas) === 0) return [];
  const minAvailable = replicas - maxUnavailable;
  const unavailableCurrent = current ? wantedReplicas(current) - availableOf(current) : 0;
  const mayGo = sumOf(allOf(sets), wantedReplicas) - minAvailable - unavailableCurrent;
  if (mayGo <= 0) return [];
  const unhealthy = shrink(old, mayGo, (set) => wantedReplicas(set) - availableOf(set));
  const left = new Map(unhealthy.map((resize) => [resize.set, resize.replicas]));
  const sizeOf = (set: ReplicaSet) => left.get(set) ?? wantedReplicas(set);
  const spare = sumOf(allOf(sets), availableOf) - minAvailable;
  return [...unhealthy, ...shrink(old, spare, sizeOf, sizeOf)];
}

/** Takes `count` pods away in all, from each no more than it can spare. */
function shrink(
  sets: readonly ReplicaSet[],
  count: number,
  spareOf: (set: ReplicaSet) => number,
  sizeOf: (set: ReplicaSet) => number = wantedReplicas,
): Resize[] {
  let left = count;
  return sets.flatMap((set) => {
    const fewer = Math.min(left, spareOf(set));
    if (fewer <= 0) return [];
    left -= fewer;
    return [{ set, replicas: sizeOf(set) - fewer }];
  });
}

/**
 * What a change of `spec.replicas` means, also in the middle of a rollout or a pause: a single
 * ReplicaSet follows, several get their parts in proportion to their sizes.
 */
export function scaleAll(deployment: Deployment, sets: ReplicaSetsOfDeployment): Resize[] {
  const { replicas, maxSurge } = rolloutBounds(deployment);
  const { current, old } = sets;
  const only = activeOrLatest(sets);
  if (only !== undefined) return wantedReplicas(only) === replicas ? [] : [{ set: only, replicas }];
  if (current !== undefined && isSaturated(current, replicas))
    return old.filter(isActive).map((set) => ({ set, replicas: 0 }));
  if (!isRollingUpdate(deployment.spec.strategy?.type)) return [];

  const active = allOf(sets).filter(isActive);
  const total = replicas > 0 ? replicas + maxSurge : 0;
  const difference = total - sumOf(active, wantedReplicas);
  // The largest first; of equal ones growth goes to the newest, shrinkage to the oldest.
  const direction = difference > 0 ? -1 : 1;
  const ordered = active.toSorted(
    (a, b) => wantedReplicas(b) - wantedReplicas(a) || direction * byAge(a, b),
  );
  let left = difference;
  const parts = ordered.map((set) => {
    const part = partOf(deployment, set, { total: replicas + maxSurge, left });
    left -= part;
    return { set, replicas: wantedReplicas(set) + part };
  });
  // What rounding leaves over goes to the largest.
  return parts.map(({ set, replicas: size }, i) => ({
    set,
    replicas: Math.max(0, i === 0 ? size + left : size),
  }));
}

/** Also those whose size stays are written, for the annotations that tell what it is a part of. */
function partOf(
  { spec, status }: Deployment,
  set: ReplicaSet,
  { total, left }: { readonly total: number; readonly left: number },
): number {
  const now = wantedReplicas(set);
  if (left === 0 || now === 0) return 0;
  if ((spec.replicas ?? 1) === 0) return Math.max(-now, left);
  const before = maxReplicasOf(set) || (status?.replicas ?? 0);
  if (before === 0) return 0;
  const part = Math.round((now * total) / before) - now;
  return left > 0 ? Math.min(part, left) : Math.max(part, left);
}

/** The one that a change of size concerns; undefined when there are several. */
function activeOrLatest(sets: ReplicaSetsOfDeployment): ReplicaSet | undefined {
  const active = allOf(sets).filter(isActive);
  if (active.length > 1) return undefined;
  return active[0] ?? sets.current ?? sets.old.at(-1);
}

/** All pods that are wanted are there, and of the current ReplicaSet. */
function isSaturated(current: ReplicaSet, replicas: number): boolean {
  return (
    desiredReplicasOf(current) === replicas &&
    wantedReplicas(current) === replicas &&
    availableOf(current) === replicas
  );
}
