// What a StatefulSet does next to its pods: first every ordinal gets its pod, then pods beyond the
// last ordinal go, the highest first, then pods of an old revision are replaced, the highest first.
// OrderedReady does one thing at a time and only once all before are available; Parallel does not
// wait, except for updates.
// https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees

import type { StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod, PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import { scaledIntOrPercent } from '../machinery/int-or-percent.ts';
import { isPodAvailable, isPodFinished, isPodReady } from '../pods/pod-state.ts';
import {
  hasIdentity,
  isInRange,
  newPod,
  ordinalOf,
  replicasOf,
  revisionOf,
  startOf,
  withIdentity,
} from './identity.ts';

export type PodAction =
  /** Also creates what is missing of its claims. */
  | { readonly kind: 'create'; readonly ordinal: number; readonly pod: Pod }
  | { readonly kind: 'delete'; readonly ordinal: number; readonly pod: Pod }
  /** It ended, which pods of a StatefulSet never do: deleted to be created again. */
  | { readonly kind: 'recreate'; readonly ordinal: number; readonly pod: Pod }
  /** It waits, maybe for claims that somebody deleted. */
  | { readonly kind: 'create-claims'; readonly ordinal: number; readonly pod: Pod }
  /** Its labels or volumes were not what they should be; `pod` has the right ones. */
  | { readonly kind: 'repair'; readonly ordinal: number; readonly pod: Pod }
  | { readonly kind: 'keep'; readonly ordinal: number; readonly pod: Pod };

export interface RevisionTemplate {
  readonly name: string;
  readonly template: PodTemplateSpec;
}
export interface StatefulPods {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly current: RevisionTemplate;
  readonly update: RevisionTemplate;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The gate PodIndexLabel. */
  readonly labelsIndex: boolean;
}

/** In order; each is done only if those before it were. */
export function planPods(state: StatefulPods): readonly PodAction[] {
  const { set } = state;
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel';
  const { replicas, condemned } = sortPods(state);
  const actions: PodAction[] = [];
  for (const replica of replicas) {
    const { action, isSettled } = actionFor(state, replica, isOrdered);
    if (action !== undefined) actions.push(action);
    if (!isSettled && isOrdered) return actions;
  }
  const leaving = planScaleDown(state, replicas, condemned, isOrdered);
  actions.push(...leaving.actions);
  const isUpdatable = !leaving.isBlocked && set.spec.updateStrategy?.type !== 'OnDelete';
  if (isUpdatable) actions.push(...planUpdate(state, replicas));
  return actions;
}

interface Replica {
  readonly ordinal: number;
  readonly pod?: Pod;
}
interface Living {
  readonly ordinal: number;
  readonly pod: Pod;
}

function sortPods({ set, pods }: StatefulPods): { replicas: Replica[]; condemned: Living[] } {
  const living = pods.flatMap((pod): Living[] => {
    const ordinal = ordinalOf(set, pod);
    return ordinal === undefined ? [] : [{ ordinal, pod }];
  });
  const byOrdinal = new Map(living.map(({ ordinal, pod }) => [ordinal, pod]));
  const replicas = Array.from({ length: replicasOf(set) }, (_, i): Replica => {
    const ordinal = startOf(set) + i;
    const pod = byOrdinal.get(ordinal);
    return { ordinal, ...(pod !== undefined && { pod }) };
  });
  const condemned = living
    .filter(({ ordinal }) => !isInRange(set, ordinal))
    .toSorted((a, b) => b.ordinal - a.ordinal);
  return { replicas, condemned };
}

interface ReplicaAction {
  readonly action?: PodAction;
  /** The next ordinal may be looked at. */
  readonly isSettled: boolean;
}

function actionFor(
  state: StatefulPods,
  { ordinal, pod }: Replica,
  isOrdered: boolean,
): ReplicaAction {
  const { set, current, update, now, labelsIndex } = state;
  if (pod === undefined) {
    const { name: revision, template } = isCurrentWanted(state, ordinal) ? current : update;
    const created = newPod(set, { ordinal, labelsIndex, template, revision });
    return { action: { kind: 'create', ordinal, pod: created }, isSettled: false };
  }
  if (isPodFinished(pod)) {
    const isGoing = isTerminating(pod);
    return { ...(!isGoing && { action: { kind: 'recreate', ordinal, pod } }), isSettled: false };
  }
  const isWaiting = pod.status?.phase === 'Pending' && !isTerminating(pod);
  const claims: ReplicaAction = isWaiting
    ? { action: { kind: 'create-claims', ordinal, pod }, isSettled: false }
    : { isSettled: false };
  const isDone = !isTerminating(pod) && isAvailable(set, pod, now);
  if ((isOrdered || isWaiting) && !isDone) return claims;
  const identity = { ordinal, labelsIndex };
  const action: PodAction = hasIdentity(set, pod, identity)
    ? { kind: 'keep', ordinal, pod }
    : { kind: 'repair', ordinal, pod: withIdentity(set, pod, identity) };
  return { action, isSettled: true };
}

/** A pod below the partition, or one that the update has not reached yet, is created as it was. */
function isCurrentWanted({ set }: StatefulPods, ordinal: number): boolean {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type === 'OnDelete') return false;
  const kept = rollingUpdate?.partition ?? set.status?.currentReplicas ?? 0;
  return ordinal < startOf(set) + kept;
}

function planScaleDown(
  { set, now }: StatefulPods,
  replicas: readonly Replica[],
  condemned: readonly Living[],
  isOrdered: boolean,
): { readonly actions: PodAction[]; readonly isBlocked: boolean } {
  const actions = condemned.map((living): PodAction => ({ kind: 'keep', ...living }));
  const leaving = condemned.filter(({ pod }) => !isTerminating(pod));
  if (!isOrdered)
    return {
      actions: [...actions, ...leaving.map((living): PodAction => ({ kind: 'delete', ...living }))],
      isBlocked: false,
    };
  const [first] = condemned;
  if (first === undefined) return { actions, isBlocked: false };
  const everyone = [...replicas.flatMap(({ pod }) => pod ?? []), ...condemned.map((c) => c.pod)];
  const firstUnhealthy = everyone.find((pod) => !isHealthy(pod));
  const mayGo = isAvailable(set, first.pod, now) || first.pod === firstUnhealthy;
  if (!isTerminating(first.pod) && mayGo) actions.push({ kind: 'delete', ...first });
  return { actions, isBlocked: true };
}

/** As many at a time as may be unavailable; the partition and what is below stay as they are. */
function planUpdate({ set, update, now }: StatefulPods, replicas: readonly Replica[]): PodAction[] {
  const { partition = 0, maxUnavailable } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const updatable = replicas
    .filter(({ ordinal }) => ordinal >= startOf(set) + partition)
    .toReversed();
  const isOld = (replica: Replica): replica is Living =>
    replica.pod !== undefined &&
    revisionOf(replica.pod) !== update.name &&
    !isTerminating(replica.pod);
  const deletion = (target: Living): PodAction => ({ kind: 'delete', ...target });
  if (maxUnavailable === undefined) {
    // Also what is not healthy is replaced, if it is next: it may never become healthy by itself.
    const next = updatable.find(
      (replica) => isOld(replica) || replica.pod === undefined || !isHealthy(replica.pod),
    );
    return next !== undefined && isOld(next) ? [deletion(next)] : [];
  }
  const most = Math.max(1, scaledIntOrPercent(maxUnavailable, replicasOf(set), Math.floor));
  const serving = replicas.filter(
    ({ pod }) => pod !== undefined && !isTerminating(pod) && isAvailable(set, pod, now),
  );
  const count = most - (replicas.length - serving.length);
  return count <= 0 ? [] : updatable.filter(isOld).slice(0, count).map(deletion);
}

function isTerminating({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}
function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod);
}
function isHealthy(pod: Pod): boolean {
  return isRunningAndReady(pod) && !isTerminating(pod);
}
function isAvailable({ spec }: StatefulSet, pod: Pod, now: number): boolean {
  return isRunningAndReady(pod) && isPodAvailable(pod, spec.minReadySeconds ?? 0, now);
}
