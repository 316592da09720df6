// When no node takes a pod, less important pods may have to leave one. The node is promised to the
// pod; its victims are marked, told and deleted with their grace. A pod whose policy is Never waits.

import {
  findCondition,
  formatTime,
  isStatusError,
  transitionTime,
  type Random,
} from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { errorText } from '../../machinery/controller.ts';
import { podsResource } from '../../machinery/resources.ts';
import {
  defaultArguments,
  type PluginArguments,
} from '../configuration/scheduler-configuration.ts';
import { preemptByExtenders, type Extenders } from '../extenders/ask-extenders.ts';
import { fitMessage } from '../fit-error.ts';
import type {
  PostFilterContext,
  PostFilterResult,
  Rejection,
  SchedulerPlugin,
} from '../framework.ts';
import type { SchedulerMetrics } from '../metrics/scheduler-metrics.ts';
import type { NominatedPods } from '../nominated-pods.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import { patchPodStatus } from '../pod-status.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { pickCandidate } from './pick-candidate.ts';
import { selectVictims, type Candidate } from './select-victims.ts';

export interface DefaultPreemptionOptions {
  readonly lookup: Pick<ObjectLookup, 'disruptionBudgets'>;
  readonly nominated: NominatedPods;
  readonly random: Random;
  /** Asked about candidates, where there are any. */
  readonly extenders?: Extenders | undefined;
  /** How many candidates are enough, of many nodes. */
  readonly args?: PluginArguments['DefaultPreemption'];
  readonly metrics?: Pick<SchedulerMetrics, 'preemptionAttempt' | 'preemptionVictims'>;
  /** Carries out what was decided: marks the victims and lets them go. */
  readonly evict: (
    preemptor: PodSummary,
    candidate: Candidate,
    signal: AbortSignal,
  ) => Promise<void>;
}

const name = 'DefaultPreemption';

export function createDefaultPreemption(options: DefaultPreemptionOptions): SchedulerPlugin {
  return {
    name,
    postFilter(context) {
      options.metrics?.preemptionAttempt();
      const result = preempt(options, context);
      const { message } = result;
      return message === '' ? result : { ...result, message: `preemption: ${message}` };
    },
    mayHelp: () => false,
  };
}

function preempt(options: DefaultPreemptionOptions, context: PostFilterContext): PostFilterResult {
  const { pod, cluster, rejections } = context;
  const obstacle = whyNot(context);
  // What it was promised may yet come true.
  if (obstacle !== undefined) return { isFinal: false, message: obstacle };
  const statuses = new Map<string, Rejection>();
  const candidates = findCandidates(options, context, statuses);
  const { extenders } = options;
  if (extenders !== undefined && candidates.length > 0)
    return {
      isFinal: false,
      message: '',
      ask: (signal) => askExtenders({ ...options, extenders }, { pod, candidates }, signal),
    };
  const best = pickCandidate(candidates);
  if (best === undefined) {
    for (const [node, { isUnresolvable }] of rejections)
      if (isUnresolvable) statuses.set(node, notHelpful);
    const message = fitMessage({
      nodeCount: cluster.nodes.length,
      rejections: statuses,
      absentReason: notHelpful.reasons[0] ?? '',
    });
    return { isFinal: false, nominatedNodeName: '', message };
  }
  return makeRoom(options, pod, best);
}

function makeRoom(
  { metrics, evict }: Pick<DefaultPreemptionOptions, 'metrics' | 'evict'>,
  pod: PodSummary,
  best: Candidate,
): PostFilterResult {
  metrics?.preemptionVictims(best.victims.length);
  return {
    isFinal: true,
    message: '',
    nominatedNodeName: best.node.name,
    execute: (signal) => evict(pod, best, signal),
  };
}

/** Extenders may take candidates out and change their victims; who fails ends the preemption. */
async function askExtenders(
  options: DefaultPreemptionOptions & { readonly extenders: Extenders },
  question: Parameters<typeof preemptByExtenders>[1],
  signal: AbortSignal,
): Promise<PostFilterResult> {
  try {
    const best = pickCandidate(await preemptByExtenders(options.extenders, question, signal));
    if (best !== undefined) return makeRoom(options, question.pod, best);
    return { isFinal: false, message: 'preemption: no candidate node for preemption' };
  } catch (error) {
    if (signal.aborted) throw error;
    return { isFinal: true, message: `preemption: ${errorText(error)}` };
  }
}

const notHelpful: Rejection = {
  plugin: name,
  isUnresolvable: true,
  reasons: ['Preemption is not helpful for scheduling'],
};

/** Why this pod must not make others leave. */
function whyNot({ pod, cluster, rejections }: PostFilterContext): string | undefined {
  if (pod.pod.spec.preemptionPolicy === 'Never')
    return 'not eligible due to preemptionPolicy=Never.';
  const { nominatedNodeName: promised = '' } = pod.pod.status ?? {};
  // A promise that no victim can make true any more is worth nothing.
  if (rejections.get(promised)?.isUnresolvable !== false) return undefined;
  const pods = cluster.node(promised)?.pods.values() ?? [];
  const isWaiting = [...pods].some(
    (other) => other.priority < pod.priority && isBeingPreempted(other),
  );
  return isWaiting ? 'not eligible due to a terminating pod on the nominated node.' : undefined;
}

function isBeingPreempted({ pod: { metadata, status } }: PodSummary): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  return (status?.conditions ?? []).some(
    ({ type, status: value, reason }) =>
      type === 'DisruptionTarget' && value === 'True' && reason === 'PreemptionByScheduler',
  );
}

function findCandidates(
  {
    lookup,
    nominated,
    random,
    args = defaultArguments.DefaultPreemption,
  }: DefaultPreemptionOptions,
  { pod, cluster, runs, rejections }: PostFilterContext,
  statuses: Map<string, Rejection>,
): Candidate[] {
  const hopeful = cluster.nodes.filter(
    (node) => rejections.get(node.name)?.isUnresolvable === false,
  );
  const share = Math.floor((hopeful.length * args.minCandidateNodesPercentage) / 100);
  const wanted = Math.min(Math.max(share, args.minCandidateNodesAbsolute), hopeful.length);
  const start = Math.floor(random.float() * hopeful.length);
  const candidates: Candidate[] = [];
  // As long as all that were found violate a budget, the search for one that does not goes on.
  let isSparing = false;
  for (let i = 0; i < hopeful.length && !(isSparing && candidates.length >= wanted); i++) {
    const node = hopeful[(start + i) % hopeful.length];
    if (node === undefined) break;
    const found = selectVictims({ pod, node, runs, nominated, budgets: lookup.disruptionBudgets });
    if ('reasons' in found) {
      statuses.set(node.name, found);
      continue;
    }
    candidates.push(found);
    isSparing ||= found.budgetViolations === 0;
  }
  return candidates;
}

export interface EvictionTools {
  readonly client: Client;
  readonly now: () => number;
  readonly nominated: NominatedPods;
  readonly schedulerName: string;
  readonly tell: (victim: PodSummary, message: string) => void;
}

/** Those that were promised the room and count for less look for another node; then victims go. */
export async function evictVictims(
  tools: EvictionTools,
  preemptor: PodSummary,
  { node, victims }: Candidate,
  signal: AbortSignal,
): Promise<void> {
  for (const other of tools.nominated.on(node.name))
    if (other.priority < preemptor.priority) {
      tools.nominated.remove(other.uid);
      await withdrawPromise(tools.client, other.pod, signal);
    }
  const evictions = victims.map(async (victim) => {
    const isEvicted = await evict(tools, victim, signal);
    if (isEvicted) tools.tell(victim, `Preempted by pod ${preemptor.uid} on node ${node.name}`);
  });
  await Promise.all(evictions);
}

async function withdrawPromise(client: Client, pod: Pod, signal: AbortSignal): Promise<void> {
  const { uid = '' } = pod.metadata;
  const patch = { metadata: { uid }, status: { nominatedNodeName: null } };
  await patchPodStatus(client, pod, patch, signal);
}

/** False when it is gone, or is going already. */
async function evict(
  tools: EvictionTools,
  { pod }: PodSummary,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace = '', name: podName = '', uid = '', generation } = pod.metadata;
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  const known = findCondition(pod.status?.conditions, 'DisruptionTarget');
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: transitionTime(known, 'True', formatTime(tools.now())),
    reason: 'PreemptionByScheduler',
    message: `${tools.schedulerName}: preempting to accommodate a higher priority pod`,
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  await patchPodStatus(tools.client, pod, patch, signal);
  try {
    const pods = tools.client.resource<Pod>(podsResource).namespace(namespace);
    await pods.delete(podName, { preconditions: { uid }, signal });
    return true;
  } catch (error) {
    if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return false;
    throw error;
  }
}
