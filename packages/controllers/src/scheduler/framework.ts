// What a scheduling plugin is. Each looks at a pod once (`begin`), before any node, and answers with
// what to ask of each node; whatever depends on the pod alone is calculated there. A cycle runs to
// its end in one turn of the event loop, so nothing that plugins read changes meanwhile.

import { errorText } from '../machinery/controller.ts';
import type { ClusterEvent } from './queue/cluster-event.ts';
import type { ClusterState } from './snapshot/cluster-state.ts';
import type { NodeState } from './snapshot/node-state.ts';
import type { PodSummary } from './snapshot/pod-summary.ts';

/** Why a node, or every node, cannot take the pod. */
export interface Rejection {
  readonly plugin: string;
  /** No victim of a preemption would change it. */
  readonly isUnresolvable: boolean;
  /** Texts that users read. */
  readonly reasons: readonly string[];
}

export interface FilterRun {
  /** The only nodes worth asking. */
  readonly nodeNames?: ReadonlySet<string>;
  filter?(node: NodeState): Rejection | undefined;
  /** Preemption asks what would be: the run counts with the pod there, or without it. */
  addPod?(pod: PodSummary, node: NodeState): void;
  removePod?(pod: PodSummary, node: NodeState): void;
}

export interface NamedRun extends FilterRun {
  readonly plugin: string;
}

export interface PostFilterContext {
  readonly pod: PodSummary;
  readonly cluster: ClusterState;
  readonly runs: readonly NamedRun[];
  /** Nodes without an entry are out of reach for reasons that no preemption changes. */
  readonly rejections: ReadonlyMap<string, Rejection>;
  /** Plugins that have looked at the pod; the first that rejects it is the last one. */
  readonly asked: ReadonlySet<string>;
}
export interface PostFilterResult {
  /**
   * Where the pod can be scheduled once the victims are gone. Empty: nowhere, and what it was
   * promised before is void. Absent: a promise stands.
   */
  readonly nominatedNodeName?: string;
  /** No other plugin is asked, and what others said is dropped. */
  readonly isFinal: boolean;
  readonly message: string;
  /** What has to be written for it; the scheduler waits for it. */
  execute?(signal: AbortSignal): Promise<void>;
  /** Others decide, too: what comes of that stands in its place. */
  ask?(signal: AbortSignal): Promise<PostFilterResult>;
}

/** Something that was set aside for the pod on its node. */
export interface Reservation {
  /** What must be written before the pod is bound. Throws when that cannot be done. */
  preBind?(signal: AbortSignal): Promise<void>;
  /** Takes it back. Must not throw. */
  unreserve(): void;
  /** Takes back what `preBind` has written. What is left behind then goes in a later attempt. */
  revoke?(signal: AbortSignal): Promise<void>;
}

export interface SchedulerPlugin {
  readonly name: string;
  /** Keeps the pod out of the queue; the text says what it waits for. */
  preEnqueue?(pod: PodSummary): string | undefined;
  /** Undefined: the plugin has nothing to say about this pod. Throwing aborts the attempt. */
  begin?(pod: PodSummary, cluster: ClusterState): FilterRun | Rejection | undefined;
  postFilter?(context: PostFilterContext): PostFilterResult;
  readonly weight?: number;
  /** A value of 0 to 100 for each node; undefined when all are the same to it. */
  score?(
    pod: PodSummary,
    nodes: readonly NodeState[],
    cluster: ClusterState,
  ): Float64Array | undefined;
  /** Throws when it cannot be set aside any more. */
  reserve?(pod: PodSummary, node: NodeState): Reservation | undefined;
  /** Whether the event may make a pod schedulable that this plugin has rejected. */
  mayHelp(pod: PodSummary, event: ClusterEvent): boolean;
}

export const scoreMax = 100;

export function isRejection(answer: FilterRun | Rejection | undefined): answer is Rejection {
  return answer !== undefined && 'reasons' in answer;
}

/** A rejection that waits for other pods to leave, or for other things to change. */
export function rejection(plugin: string, ...reasons: string[]): Rejection {
  return { plugin, isUnresolvable: false, reasons };
}
export function unresolvable(plugin: string, ...reasons: string[]): Rejection {
  return { plugin, isUnresolvable: true, reasons };
}

/** COMPAT: errors say which plugin was running, as users know it from kube-scheduler. */
export function runningError(point: string, plugin: string, cause: unknown): Error {
  return new Error(`running ${point} plugin "${plugin}": ${errorText(cause)}`, { cause });
}

/** Scales so that the largest is 100; `isReverse`: the smallest is best. */
export function normalizeScores(scores: Float64Array, isReverse = false): Float64Array {
  let max = 0;
  for (const score of scores) if (score > max) max = score;
  if (max === 0) return isReverse ? scores.fill(scoreMax) : scores;
  for (let i = 0; i < scores.length; i++) {
    const scaled = Math.floor(((scores[i] ?? 0) * scoreMax) / max);
    scores[i] = isReverse ? scoreMax - scaled : scaled;
  }
  return scores;
}
