// Asks extenders in their order, each about what the one before has left. One that may be ignored and
// fails changes nothing; any other failure is an error of the attempt, so that no pod is placed where
// an extender was to be asked.

import { errorText, type ControllerLog } from '../../machinery/controller.ts';
import type { Rejection } from '../framework.ts';
import type { Candidate } from '../preemption/select-victims.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import type { Extender } from './extender.ts';

/** Who has rejected a pod, in metrics and hints; nobody knows what may help it. */
export const extenderName = 'Extender';

export interface Extenders {
  readonly all: readonly Extender[];
  readonly log: ControllerLog;
}

export interface ExtendersLeft {
  readonly nodes: readonly NodeState[];
  readonly rejections: ReadonlyMap<string, Rejection>;
}

export async function filterByExtenders(
  { all, log }: Extenders,
  { pod, nodes }: { readonly pod: PodSummary; readonly nodes: readonly NodeState[] },
  signal: AbortSignal,
): Promise<ExtendersLeft> {
  const rejections = new Map<string, Rejection>();
  let left = nodes;
  for (const extender of all) {
    if (left.length === 0) break;
    if (extender.filter === undefined || !extender.isInterested(pod)) continue;
    try {
      const answer = await extender.filter(pod, left, signal);
      for (const [reasons, isUnresolvable] of [
        [answer.failed, false],
        [answer.unresolvable, true],
      ] as const)
        for (const [node, reason] of reasons)
          rejections.set(node, { plugin: extenderName, isUnresolvable, reasons: [reason] });
      left = answer.nodes;
    } catch (error) {
      ignore(extender, { log, signal, error });
    }
  }
  return { nodes: left, rejections };
}

/** Sums by node. COMPAT: an extender that fails adds nothing, whether it may be ignored or not. */
export async function scoresOfExtenders(
  { all, log }: Extenders,
  { pod, nodes }: { readonly pod: PodSummary; readonly nodes: readonly NodeState[] },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>();
  const scoring = all.filter((extender) => extender.isInterested(pod));
  const answers = scoring.map(async (extender) => {
    try {
      return (await extender.prioritize?.(pod, nodes, signal)) ?? new Map<string, number>();
    } catch (error) {
      if (signal.aborted) throw error;
      tell(log, extender, error);
      return new Map<string, number>();
    }
  });
  for (const scores of await Promise.all(answers))
    for (const [node, score] of scores) sums.set(node, (sums.get(node) ?? 0) + score);
  return sums;
}

/** The candidates that are left, with the victims that the extenders want. */
export async function preemptByExtenders(
  { all, log }: Extenders,
  { pod, candidates }: { readonly pod: PodSummary; readonly candidates: readonly Candidate[] },
  signal: AbortSignal,
): Promise<readonly Candidate[]> {
  let left = candidates;
  for (const extender of all) {
    if (left.length === 0) break;
    if (extender.preempt === undefined || !extender.isInterested(pod)) continue;
    try {
      const wanted = await extender.preempt(pod, left, signal);
      const empty = wanted.find(({ victims }) => victims.length === 0);
      if (empty !== undefined && !extender.isIgnorable) {
        const node = JSON.stringify(empty.node.name);
        throw new Error(`expected at least one victim pod on node ${node}`);
      }
      left = wanted.filter(({ victims }) => victims.length > 0);
    } catch (error) {
      ignore(extender, { log, signal, error });
    }
  }
  return left;
}

/** False when no extender binds the pod. */
export async function bindByExtender(
  { all, log }: Extenders,
  { pod, nodeName }: { readonly pod: PodSummary; readonly nodeName: string },
  signal: AbortSignal,
): Promise<boolean> {
  for (const extender of all) {
    if (extender.bind === undefined || !extender.isInterested(pod)) continue;
    try {
      await extender.bind(pod, nodeName, signal);
      return true;
    } catch (error) {
      ignore(extender, { log, signal, error });
    }
  }
  return false;
}

interface Failure {
  readonly log: ControllerLog;
  readonly signal: AbortSignal;
  readonly error: unknown;
}

/** Throws the error again unless the extender may be ignored. */
function ignore(extender: Extender, { log, signal, error }: Failure): void {
  if (!extender.isIgnorable || signal.aborted) throw error;
  tell(log, extender, error);
}

function tell(log: ControllerLog, { name }: Extender, error: unknown): void {
  log.warn('an extender of the scheduler is ignored', { extender: name, error: errorText(error) });
}
