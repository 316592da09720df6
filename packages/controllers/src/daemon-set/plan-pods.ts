// Which pods a DaemonSet creates and deletes so that each eligible node has one: two only while one
// takes over from the other, where the update strategy lets it surge.

import type { DaemonSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { scaledIntOrPercent } from '../machinery/int-or-percent.ts';
import { isPodAvailable, isPodReady } from '../pods/pod-state.ts';
import { isUpToDate, revisionLabel } from './daemon-pod.ts';
import type { Eligibility } from './eligible-nodes.ts';

export interface DaemonNodes {
  readonly daemonSet: DaemonSet;
  /** Of the template that is wanted now. */
  readonly hash: string;
  /** By node, also nodes that are gone. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
  readonly nodes: ReadonlyMap<string, Eligibility>;
  /** Milliseconds since 1970. */
  readonly now: number;
}
export interface PodPlan {
  /** Names of the nodes. */
  readonly create: readonly string[];
  readonly delete: readonly Pod[];
  /** Pods that ended; what is told of them, and how soon they go, is not decided here. */
  readonly ended: readonly { readonly node: string; readonly pod: Pod }[];
}

/** One pod on each node, whatever its template. */
export function planNodes(state: DaemonNodes): PodPlan {
  const create: string[] = [];
  const surplus: Pod[] = [];
  const ended: { node: string; pod: Pod }[] = [];
  for (const [node, { shouldRun, mayStay }] of state.nodes) {
    const pods = state.pods.get(node) ?? [];
    const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (shouldRun && pods.length === 0) create.push(node);
    else if (!mayStay) surplus.push(...staying);
    else {
      const isEnded = ({ status }: Pod) =>
        status?.phase === 'Failed' || status?.phase === 'Succeeded';
      ended.push(...staying.filter(isEnded).map((pod) => ({ node, pod })));
      surplus.push(
        ...surplusOf(
          state,
          staying.filter((pod) => !isEnded(pod)),
        ),
      );
    }
  }
  // Nobody will ever place these.
  for (const [node, pods] of state.pods)
    if (!state.nodes.has(node))
      surplus.push(...pods.filter(({ spec }) => (spec.nodeName ?? '') === ''));
  return { create, delete: surplus, ended };
}

/** Those that stand in another's way, the oldest stays. */
function surplusOf(state: DaemonNodes, pods: readonly Pod[]): readonly Pod[] {
  const { daemonSet, hash, now } = state;
  if (pods.length <= 1) return [];
  const ordered = oldestFirst(state, pods);
  if (!mayDouble(daemonSet)) return ordered.slice(1);
  const isNew = ({ metadata }: Pod) => metadata.labels?.[revisionLabel] === hash;
  const [newest] = ordered.filter(isNew);
  const [old] = ordered.filter((pod) => !isNew(pod));
  const others = ordered.filter((pod) => pod !== newest && pod !== old);
  const isRelieved =
    newest !== undefined &&
    old !== undefined &&
    (!isPodReady(old) || isPodAvailable(newest, daemonSet.spec.minReadySeconds ?? 0, now));
  return isRelieved ? [...others, old] : others;
}

/**
 * Those that are on their node come first. Times of creation are whole seconds: of pods of the same
 * second that one is older whose template is.
 */
export function oldestFirst({ daemonSet, hash }: DaemonNodes, pods: readonly Pod[]): Pod[] {
  const rankOf = (pod: Pod) => {
    const { creationTimestamp = '', name = '' } = pod.metadata;
    const isPlaced = (pod.spec.nodeName ?? '') !== '';
    const isNew = isUpToDate(daemonSet, pod, hash);
    return [Number(!isPlaced), creationTimestamp, Number(isNew), name].join(' ');
  };
  return pods.toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1));
}

function rollingUpdateOf({ spec }: DaemonSet) {
  const { type, rollingUpdate = {} } = spec.updateStrategy ?? {};
  return type === 'OnDelete' ? undefined : rollingUpdate;
}
function mayDouble(daemonSet: DaemonSet): boolean {
  const { maxSurge = 0 } = rollingUpdateOf(daemonSet) ?? {};
  return maxSurge !== 0 && maxSurge !== '0%';
}

export interface UpdateBounds {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}
/** Undefined where only deleted pods are replaced. Percentages are of the eligible nodes. */
export function updateBounds(state: DaemonNodes): UpdateBounds | undefined {
  const rollingUpdate = rollingUpdateOf(state.daemonSet);
  if (rollingUpdate === undefined) return undefined;
  const desired = desiredNumber(state);
  const scaled = (value: number | string) => scaledIntOrPercent(value, desired, Math.ceil);
  const maxSurge = scaled(rollingUpdate.maxSurge ?? 0);
  const maxUnavailable = scaled(rollingUpdate.maxUnavailable ?? 1);
  return { maxSurge, maxUnavailable: maxSurge + maxUnavailable === 0 ? 1 : maxUnavailable };
}

interface NodeUpdate {
  readonly node: string;
  readonly fresh?: Pod;
  readonly old?: Pod;
  /** More than one of a kind: that has to be put in order first. */
  readonly isMessy: boolean;
}

/** The next step to the new template, from where `planNodes` has nothing left to do. */
export function planUpdate(state: DaemonNodes): Pick<PodPlan, 'create' | 'delete'> {
  const bounds = updateBounds(state);
  if (bounds === undefined) return { create: [], delete: [] };
  const updates = [...state.pods]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([node, pods]) => updateOf(state, node, pods));
  return bounds.maxSurge === 0
    ? replace(state, updates, bounds.maxUnavailable)
    : surge(state, updates, bounds.maxSurge);
}

function updateOf(state: DaemonNodes, node: string, pods: readonly Pod[]): NodeUpdate {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const { true: fresh = [], false: old = [] } = Object.groupBy(staying, (pod) =>
    isUpToDate(state.daemonSet, pod, state.hash) ? 'true' : 'false',
  );
  return {
    node,
    ...(fresh[0] !== undefined && { fresh: fresh[0] }),
    ...(old[0] !== undefined && { old: old[0] }),
    isMessy: fresh.length > 1 || old.length > 1,
  };
}

/**
 * Old pods go first, as many as may be missing. One that serves nobody may always go, but counts as
 * missing already.
 */
function replace(state: DaemonNodes, updates: readonly NodeUpdate[], maxUnavailable: number) {
  const idle: Pod[] = [];
  const serving: Pod[] = [];
  let unavailable = 0;
  for (const { fresh, old, isMessy } of updates) {
    const only = isMessy || (fresh !== undefined && old !== undefined) ? undefined : (fresh ?? old);
    if (only === undefined) unavailable++;
    else if (only === fresh) unavailable += isAvailable(state, only) ? 0 : 1;
    else (isAvailable(state, only) ? serving : idle).push(only);
  }
  const more = serving.slice(0, Math.max(0, maxUnavailable - unavailable - idle.length));
  return { create: [], delete: [...idle, ...more] };
}

/**
 * New pods come first, as many as may be too much, and old ones go once those are available. Old ones
 * on nodes that get no new ones go when they serve nobody, or as many serve as are wanted.
 */
function surge(state: DaemonNodes, updates: readonly NodeUpdate[], maxSurge: number) {
  const idle: string[] = [];
  const serving: string[] = [];
  const relieved: Pod[] = [];
  const retiring: Pod[] = [];
  let surging = 0;
  let available = 0;
  for (const { node, fresh, old, isMessy } of updates) {
    const pod = isMessy ? undefined : (old ?? fresh);
    const isServing = pod !== undefined && isAvailable(state, pod);
    if (isServing) available++;
    if (isMessy) surging++;
    else if (old === undefined) continue;
    else if (fresh !== undefined && isAvailable(state, fresh)) relieved.push(old);
    else if (fresh !== undefined) surging++;
    else if (shouldRun(state, node)) (isServing ? serving : idle).push(node);
    else (isServing ? retiring : relieved).push(old);
  }
  const more = serving.slice(0, Math.max(0, maxSurge - surging));
  const spare = retiring.slice(0, Math.max(0, available - desiredNumber(state)));
  return { create: [...idle, ...more], delete: [...relieved, ...spare] };
}

function shouldRun({ nodes }: DaemonNodes, node: string): boolean {
  return nodes.get(node)?.shouldRun === true;
}
function desiredNumber({ nodes }: DaemonNodes): number {
  return [...nodes.values()].filter((node) => node.shouldRun).length;
}

function isAvailable({ daemonSet, now }: DaemonNodes, pod: Pod): boolean {
  return isPodAvailable(pod, daemonSet.spec.minReadySeconds ?? 0, now);
}
