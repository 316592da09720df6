// When the node itself ends a pod, whatever its containers do: its time is up, the node evicts it
// by a rule, or the node shuts down.

import type { Moment } from './node-surroundings.ts';
import { evictionMessage } from './pod-eviction.ts';
import { isCriticalPod } from './pod-admission.ts';
import type { PodFailure, PodRecord } from './pod-record.ts';

export function failWhenDue(moment: Moment): void {
  const { record, now, wakeAt, node } = moment;
  if (record.failure !== undefined || record.finalPhase !== undefined) return;
  const shutdownAt = shutdownOf(moment);
  const { activeDeadlineSeconds } = record.pod.spec ?? {};
  const deadlineAt =
    activeDeadlineSeconds === undefined
      ? Infinity
      : record.startTime + Number(activeDeadlineSeconds) * 1_000;
  const mains = record.containers.filter(({ role }) => role === 'main');
  const evictAt =
    record.startTime + Math.min(...mains.map(({ behaviour }) => behaviour.evictAfterMs));
  if (shutdownAt <= now) return failPod(moment, nodeShutdown, shutdownGraceMs(record));
  if (deadlineAt <= now) {
    const { reason, message } = deadlineExceeded;
    node.emit(record, { type: 'Normal', reason, message });
    return failPod(moment, deadlineExceeded);
  }
  if (evictAt <= now) return evictPod(moment);
  wakeAt(Math.min(shutdownAt, deadlineAt, evictAt));
}

const deadlineExceeded: PodFailure = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
};

const nodeShutdown: PodFailure = {
  reason: 'Terminated',
  message: 'Pod was terminated in response to imminent node shutdown.',
  isDisruption: true,
};
/** `shutdownGracePeriod` without `shutdownGracePeriodCriticalPods`, and the latter. */
const shutdownMs = 20_000;
const criticalShutdownMs = 10_000;

/** When the pod has to end because its node does; critical ones when the others have. */
function shutdownOf({ record, node }: Moment): number {
  const since = node.shutdownSince();
  if (since === undefined) return Infinity;
  return isCriticalPod(record.pod) ? since + shutdownMs : since;
}

const shutdownGraceMs = ({ pod }: PodRecord): number =>
  Math.min(graceMs(pod), isCriticalPod(pod) ? criticalShutdownMs : shutdownMs);

function evictPod(moment: Moment): void {
  const message = evictionMessage(moment.record, moment.now);
  moment.node.emit(moment.record, { type: 'Warning', reason: 'Evicted', message });
  failPod(moment, { reason: 'Evicted', message, isDisruption: true });
}

function failPod(moment: Moment, failure: PodFailure, grace = graceMs(moment.record.pod)): void {
  const { record } = moment;
  record.failure = failure;
  if (record.stop === undefined) beginStop(moment, grace);
}

const graceDefaultSeconds = 30;

/** What a pod leaves its containers to end. */
export function graceMs({ spec }: PodRecord['pod']): number {
  return Number(spec?.terminationGracePeriodSeconds ?? graceDefaultSeconds) * 1_000;
}

export function beginStop({ record, now }: Moment, ms: number): void {
  record.stop = { since: now, deadline: now + ms };
}
