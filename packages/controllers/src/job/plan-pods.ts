// Which pods a Job creates or deletes next, as long as it goes on. Never more run than it may, each
// index at most once, and what is too much goes before anything new comes.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { isPodTerminating } from '../pods/pod-state.ts';
import { rankYoungestFirst } from '../pods/rank-pods.ts';
import { readyIndexes } from './index-failures.ts';
import { firstMissing, unionOf, withIndexes } from './indexes.ts';
import {
  completionIndexOf,
  completionsOf,
  hasLimitPerIndex,
  isIndexed,
  isSuspended,
  replacesFailedOnly,
} from './job-pods.ts';
import { indexesOf, type IndexObservation, type JobObservation } from './observe-job.ts';
import { remainingDelayMs, type BackOff } from './pod-back-off.ts';

/** Pods created or deleted in one go. */
const burstMax = 500;

export type PodPlan =
  | { readonly action: 'delete'; readonly pods: readonly Pod[] }
  /** An index for each pod, or undefined for those that have none. */
  | { readonly action: 'create'; readonly indexes: readonly (number | undefined)[] }
  | { readonly action: 'wait'; readonly ms: number }
  | { readonly action: 'nothing' };

export function planPods(observation: JobObservation, backOff: BackOff): PodPlan {
  const { job, active, terminating, now } = observation;
  if (isSuspended(job)) return deletion(observation, active.length, Infinity);
  const wanted = wantedActive(observation);
  const surplus = deletion(observation, Math.max(0, active.length - wanted), burstMax);
  if (surplus.action === 'delete') return surplus;
  const occupied = active.length + (replacesFailedOnly(job) ? terminating : 0);
  const missing = wanted - occupied;
  if (missing <= 0) return { action: 'nothing' };
  const delayMs = hasLimitPerIndex(job) ? 0 : remainingDelayMs(backOff, now);
  if (delayMs > 0) return { action: 'wait', ms: delayMs };
  const count = Math.min(missing, burstMax);
  return observation.indexes === undefined
    ? { action: 'create', indexes: Array.from({ length: count }, () => undefined) }
    : creationOfIndexes(observation, observation.indexes, count);
}

/** Without completions: until one pod has succeeded; the others then run on as they are. */
function wantedActive({ job, active, succeeded }: JobObservation): number {
  const { completions, parallelism = 1 } = job.spec;
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

function creationOfIndexes(
  { job, pods, active, now }: JobObservation,
  { succeeded, failed = [], replaced }: IndexObservation,
  count: number,
): PodPlan {
  const leaving = replacesFailedOnly(job) ? pods.filter(isPodTerminating) : [];
  const taken = withIndexes(unionOf(succeeded, failed), indexesOf([...active, ...leaving], job));
  const missing = firstMissing(taken, count, completionsOf(job));
  const { ready, waitMs } = readyIndexes(missing, replaced, now);
  if (waitMs > 0) return { action: 'wait', ms: waitMs };
  return ready.length === 0 ? { action: 'nothing' } : { action: 'create', indexes: ready };
}

/** At least `count` pods, and all that have an index twice or none that the Job knows. */
function deletion({ job, active }: JobObservation, count: number, max: number): PodPlan {
  const ranked = rankYoungestFirst(active);
  const { superfluous, others } = isIndexed(job)
    ? duplicatesIn(ranked, (pod) => completionIndexOf(pod, job))
    : { superfluous: [], others: ranked };
  const more = others.slice(0, Math.max(0, count - superfluous.length));
  const pods = [...superfluous, ...more].slice(0, max);
  return pods.length === 0 ? { action: 'nothing' } : { action: 'delete', pods };
}

/** Of several pods with the same index that one stays that serves best: the last. */
function duplicatesIn(ranked: readonly Pod[], indexOf: (pod: Pod) => number | undefined) {
  const best = new Map<number, Pod>();
  for (const pod of ranked) {
    const index = indexOf(pod);
    if (index !== undefined) best.set(index, pod);
  }
  const stays = new Set(best.values());
  return {
    superfluous: ranked.filter((pod) => !stays.has(pod)),
    others: ranked.filter((pod) => stays.has(pod)),
  };
}
