// What a StatefulSet does next to its pods: first every ordinal gets its pod, then pods beyond the
// last ordinal go, the highest first, then pods of an old revision are replaced, the highest first.
// OrderedReady does one thing at a time and only once all before are available; Parallel does not
// wait, except for updates.
// https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees

import type { StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod, PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import { scaledIntOrPercent } from '../machinery/int-or-percent.ts';
import { isPodAvailable, isPodFinished } from '../pods/pod-state.ts';
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

export interface PodAction {
  /**
   * - `create`: with what is missing of its claims.
   * - `delete`
   * - `create-claims`: it waits, maybe for claims that somebody deleted.
   * - `repair`: its labels or volumes were not what they should be; `pod` has the right ones.
   * - `keep`: its claims belong to whom the retention policy wants.
   * - `retain`: as `keep`, of a pod beyond the last ordinal, and not worth telling.
   */
  readonly kind: 'create' | 'delete' | 'create-claims' | 'repair' | 'keep' | 'retain';
  readonly ordinal: number;
  readonly pod: Pod;
}

export interface PodPlan {
  /** Each action is done only if those before it were; else all of a phase are tried. */
  readonly isOrdered: boolean;
  /** One after the other, the next only if nothing of the one before was refused. */
  readonly phases: readonly (readonly PodAction[])[];
}

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
  /** The gate MaxUnavailableStatefulSet. */
  readonly limitsUnavailable: boolean;
}

export function planPods(state: StatefulPods): PodPlan {
  const { set } = state;
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel';
  if (set.metadata.deletionTimestamp !== undefined) return { isOrdered, phases: [] };
  const { replicas, condemned } = sortPods(state);
  const actions: PodAction[] = [];
  for (const replica of replicas) {
    const { action, isSettled } = actionFor(state, replica, isOrdered);
    if (action !== undefined) actions.push(action);
    if (!isSettled && isOrdered) return { isOrdered, phases: [actions] };
  }
  const retained = condemned.map((living): PodAction => ({ kind: 'retain', ...living }));
  const { leaving, isBlocked } = planScaleDown(state, { replicas, condemned }, isOrdered);
  const isUpdatable = !isBlocked && set.spec.updateStrategy?.type !== 'OnDelete';
  const updates = isUpdatable ? planUpdate(state, replicas) : [];
  return { isOrdered, phases: [actions, retained, leaving, updates] };
}

interface Replica {
  readonly ordinal: number;
  readonly pod?: Pod;
}
interface Living {
  readonly ordinal: number;
  readonly pod: Pod;
}

interface SortedPods {
  /** One for each ordinal of the set. */
  readonly replicas: readonly Replica[];
  /** The highest ordinal first. */
  readonly condemned: readonly Living[];
}

function sortPods({ set, pods }: StatefulPods): SortedPods {
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
    return { ...(!isGoing && { action: { kind: 'delete', ordinal, pod } }), isSettled: false };
  }
  const isWaiting = pod.status?.phase === 'Pending';
  const isSettled = !isUnavailable(set, pod, now);
  if (isOrdered && !isSettled)
    return { ...(isWaiting && { action: { kind: 'create-claims', ordinal, pod } }), isSettled };
  const identity = { ordinal, labelsIndex };
  const action: PodAction = hasIdentity(set, pod, identity)
    ? { kind: isWaiting ? 'create-claims' : 'keep', ordinal, pod }
    : { kind: 'repair', ordinal, pod: withIdentity(set, pod, identity) };
  return { action, isSettled };
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
  { replicas, condemned }: SortedPods,
  isOrdered: boolean,
): { readonly leaving: readonly PodAction[]; readonly isBlocked: boolean } {
  const deletion = (living: Living): PodAction => ({ kind: 'delete', ...living });
  const staying = condemned.filter(({ pod }) => !isTerminating(pod));
  if (!isOrdered) return { leaving: staying.map(deletion), isBlocked: false };
  const [first] = condemned;
  if (first === undefined) return { leaving: [], isBlocked: false };
  // By their ordinals, so that of several that are not available the highest waits for the others.
  const everyone = [...replicas, ...condemned.toReversed()].flatMap(({ pod }) => pod ?? []);
  const firstUnavailable = everyone.find((pod) => isUnavailable(set, pod, now));
  const mayGo = isAvailable(set, first.pod, now) || first.pod === firstUnavailable;
  const leaves = mayGo && !isTerminating(first.pod);
  return { leaving: leaves ? [deletion(first)] : [], isBlocked: true };
}

/** The highest first; the partition and what is below stay as they are. */
function planUpdate(state: StatefulPods, replicas: readonly Replica[]): readonly PodAction[] {
  const { set, update, now } = state;
  const { partition = 0 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const updatable = replicas
    .filter(({ ordinal }) => ordinal >= startOf(set) + partition)
    .toReversed();
  const isOld = (replica: Replica): replica is Living =>
    replica.pod !== undefined &&
    revisionOf(replica.pod) !== update.name &&
    !isTerminating(replica.pod);
  const deletion = (target: Living): PodAction => ({ kind: 'delete', ...target });
  const isMissing = ({ pod }: Replica) => pod === undefined || isUnavailable(set, pod, now);
  if (state.limitsUnavailable) {
    const count = mostUnavailable(set) - replicas.filter(isMissing).length;
    return updatable.filter(isOld).slice(0, Math.max(0, count)).map(deletion);
  }
  // Also what is not available is replaced, if it is next: it may never become so by itself.
  const next = updatable.find((replica) => isOld(replica) || isMissing(replica));
  return next !== undefined && isOld(next) ? [deletion(next)] : [];
}

function mostUnavailable(set: StatefulSet): number {
  const { maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  return Math.max(1, scaledIntOrPercent(maxUnavailable, replicasOf(set), Math.floor));
}

function isTerminating({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}
function isAvailable({ spec }: StatefulSet, pod: Pod, now: number): boolean {
  return pod.status?.phase === 'Running' && isPodAvailable(pod, spec.minReadySeconds ?? 0, now);
}
function isUnavailable(set: StatefulSet, pod: Pod, now: number): boolean {
  return isTerminating(pod) || !isAvailable(set, pod, now);
}
