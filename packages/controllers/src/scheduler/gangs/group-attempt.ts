// One attempt to place the pods of a group together (KEP-4671), while no other pod is looked at. Each
// pod is set aside on its node before the next one is looked at. When enough have a node, all that
// have one are bound; else everything is taken back, and no pod of the group stays where others
// could be. Room that less important pods would make is asked for only when it is enough for all.

import { nextTurn } from '@keelson/apimachinery';
import { errorText } from '../../machinery/controller.ts';
import { placePod, type Placement } from '../placement.ts';
import type { QueuedPod } from '../queue/queued-pod.ts';
import {
  beginAttempt,
  finishAttempt,
  openAttempt,
  type Attempt,
  type AttemptTools,
  type Decision,
} from '../scheduling-attempt.ts';
import { schedulerNameOf } from '../scheduling-profile.ts';
import { groupNameOf, isInSameGroup, type PodGroupTracker } from './pod-group-tracker.ts';
import { writeGroupScheduled, type GroupScheduled } from './pod-group-status.ts';

export interface GroupTools extends AttemptTools {
  readonly groups: PodGroupTracker;
}

/** What became of one pod while the others were looked at. */
interface Tried {
  readonly attempt: Attempt;
  readonly placement?: Placement;
  /** It has its node only when others have left it. */
  readonly needsRoom?: boolean;
}

const unschedulable = 'pod group is unschedulable';
const waitingForRoom = `${unschedulable}, pod group is waiting for preemption to complete`;
const tooFew = 'waiting for minCount pods from a gang to be scheduled';

/** Resolves when everything is decided, with what is left to be written. Neither ever rejects. */
export async function attemptGroup(
  tools: GroupTools,
  first: QueuedPod,
  signal: AbortSignal,
): Promise<{ readonly rest: Promise<void> }> {
  const { queue } = tools;
  const others = queue.popOthers(({ pod }) => isInSameGroup(pod.pod, first.pod.pod));
  const entries = [first, ...others].toSorted(
    (a, b) => b.pod.priority - a.pod.priority || a.addedAt - b.addedAt,
  );
  const problem = differentSchedulers(entries);
  const tried = problem === undefined ? await tryAll(tools, entries, signal) : [];
  const failed = tried.find(({ attempt: { decision } }) => 'error' in decision);
  const outcome =
    problem ?? (failed && groupError(failed.attempt.decision)) ?? outcomeOf(tools, first, tried);
  const isScheduled = outcome === 'scheduled';
  const undone = isScheduled
    ? []
    : tried.flatMap(({ placement }) => placement?.takeBack(signal) ?? []);
  const finishing = entries.map(async (entry, i) => {
    // Those that nobody looked at share what became of the group.
    const one = tried[i] ?? { attempt: openAttempt(tools, entry)(decisionOf(outcome)) };
    await finishAttempt(tools, conclude(one, outcome), signal);
  });
  const { pod } = first;
  const told = writeGroupScheduled(tools, pod, conditionOf(outcome), signal);
  return { rest: Promise.all([...undone, ...finishing, told]).then(() => {}) };
}

type Outcome = 'scheduled' | 'waiting-for-room' | 'rejected' | { readonly error: Error };

function differentSchedulers(entries: readonly QueuedPod[]): Outcome | undefined {
  const [name = '', other] = [...new Set(entries.map(({ pod }) => schedulerNameOf(pod.pod.spec)))];
  if (other === undefined) return undefined;
  const got = `${JSON.stringify(name)} and ${JSON.stringify(other)}`;
  const why = 'all pods in a single pod group should have the same .spec.schedulerName set, got: ';
  return { error: new Error(`${why}${got}`) };
}

/** Pods in a row before others than the scheduler get a turn. */
const podsPerTurn = 8;

/** In order of importance, until one fails. */
async function tryAll(
  tools: GroupTools,
  entries: readonly QueuedPod[],
  signal: AbortSignal,
): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const [i, entry] of entries.entries()) {
    if (i > 0 && i % podsPerTurn === 0) await nextTurn();
    const begun = beginAttempt(tools, entry, signal);
    const one = tryPod(tools, begun instanceof Promise ? await begun : begun);
    tried.push(one);
    if ('error' in one.attempt.decision) break;
  }
  return tried;
}

/** Those that follow see it where it will be, also when others have to leave first. */
function tryPod(tools: GroupTools, attempt: Attempt): Tried {
  const { decision, entry } = attempt;
  if (!('result' in decision)) return { attempt };
  const { result } = decision;
  const nodeName = result.kind === 'node' ? result.node.name : (result.nominatedNodeName ?? '');
  const node = tools.cluster.node(nodeName);
  if (node === undefined) return { attempt };
  try {
    const placement = placePod(tools, entry.pod, node);
    return { attempt, placement, needsRoom: result.kind === 'none' };
  } catch (error) {
    return { attempt: { ...attempt, decision: { error } } };
  }
}

function groupError(decision: Decision): Outcome {
  const why = 'error' in decision ? errorText(decision.error) : '';
  return { error: new Error(`failed to schedule other pod from a pod group: ${why}`) };
}

function outcomeOf({ groups, cluster }: GroupTools, first: QueuedPod, tried: readonly Tried[]) {
  const { namespace, pod } = first.pod;
  const groupName = groupNameOf(pod) ?? '';
  const { gang } = groups.group(namespace, groupName)?.spec.schedulingPolicy ?? {};
  const placed = tried.filter(({ placement }) => placement !== undefined);
  if (placed.length === 0) return 'rejected';
  const there = groups
    .members(namespace, groupName)
    .filter(({ metadata }) => cluster.nodeOf(metadata.uid ?? '') !== undefined);
  if (gang && there.length < gang.minCount) return 'rejected';
  return placed.some(({ needsRoom }) => needsRoom === true) ? 'waiting-for-room' : 'scheduled';
}

function conclude({ attempt, placement, needsRoom }: Tried, outcome: Outcome): Attempt {
  const { decision } = attempt;
  if (typeof outcome === 'object')
    return 'error' in decision ? attempt : { ...attempt, decision: outcome };
  if (placement === undefined) return attempt;
  if (outcome === 'scheduled') return { ...attempt, placement };
  if (outcome === 'rejected')
    return { ...attempt, decision: rejection(`${unschedulable}, ${tooFew}`) };
  if (needsRoom === true) return attempt;
  return { ...attempt, decision: rejection(waitingForRoom, placement.nodeName) };
}

function decisionOf(outcome: Outcome): Decision {
  return typeof outcome === 'object' ? outcome : rejection(unschedulable);
}

function rejection(message: string, nominatedNodeName = ''): Decision {
  return { result: { kind: 'none', message, rejectedBy: new Set(), nominatedNodeName } };
}

function conditionOf(outcome: Outcome): GroupScheduled {
  if (typeof outcome === 'object')
    return { status: 'False', reason: 'SchedulerError', message: outcome.error.message };
  switch (outcome) {
    case 'scheduled':
      return { status: 'True', reason: 'Scheduled', message: '' };
    case 'waiting-for-room':
      return { status: 'False', reason: 'Unschedulable', message: waitingForRoom };
    case 'rejected':
      return { status: 'False', reason: 'Unschedulable', message: unschedulable };
  }
}
