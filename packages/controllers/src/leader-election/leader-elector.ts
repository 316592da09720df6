// One leader among candidates that know each other only through a Lease, as client-go's
// leaderelection: take the lease, renew it, do the work while it is held, stop the work before
// somebody else may begin.
//
// INVARIANT: no two lead at a time as long as no clock runs faster than another by more than
// leaseDuration / renewDeadline (1.5). A leader counts from when it *began* its last renewal that
// succeeded; others count from when they saw it, which was later. client-go counts from the answer
// instead and gives itself one retry period more. What a candidate that is not scheduled does
// between waking up and its next timer no election can prevent; the API refuses stale writes.

import { sleep, type Clock, type Random } from '@keelson/apimachinery';
import { linkAbort, untilAborted, type LinkedAbort } from '@keelson/client';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { errorText, type ControllerLog } from '../machinery/controller.ts';
import type { LeaderMetrics } from './leader-metrics.ts';
import { aboutLease, createLeaseLock, type LeaseClient, type LeaseLock } from './lease-lock.ts';
import { defaultLeaseTimes, jitterFactor, type LeaseTimes } from './lease-times.ts';

export interface LeaderElectorOptions {
  readonly leases: LeaseClient;
  /** Of the lease. */
  readonly name: string;
  /** Nobody else's, not even an earlier run's. */
  readonly identity: string;
  readonly times?: LeaseTimes;
  readonly clock: Clock;
  readonly random: Random;
  readonly recorder: EventRecorder;
  readonly log: ControllerLog;
  readonly metrics: LeaderMetrics;
}

export interface LeaderElector {
  /**
   * Calls `lead` whenever the lease has become ours; its signal is aborted when the lease is lost
   * or `signal` is aborted, and it must then come to an end and resolve. Only then is the lease
   * tried for again, or given back. Resolves when `signal` was aborted. Never rejects.
   */
  run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
}

export function createLeaderElector(options: LeaderElectorOptions): LeaderElector {
  const { clock, random, name, log, times = defaultLeaseTimes } = options;
  const { metrics } = options;
  const { leaseDurationMs } = times;
  const onSlowPath = () => metrics.slowPath(name);
  const lock = createLeaseLock({ ...options, leaseDurationMs, onSlowPath });
  metrics.leads(name, false);
  const bounded = createBounded(clock, times.renewDeadlineMs / 2);
  const tryOnce = (signal: AbortSignal): Promise<Attempt> => {
    const startedMs = clock.monotonic();
    return bounded(signal, (until) => lock.takeOrRenew(until)).then(
      (isOurs) => ({ startedMs, outcome: isOurs ? 'held' : 'held by another' }),
      (error: unknown) => {
        if (!signal.aborted)
          log.warn('lease not renewed', { lease: name, error: errorText(error) });
        return { startedMs, outcome: 'unknown' };
      },
    );
  };
  const holdLease = async (sinceMs: number, held: LinkedAbort): Promise<void> => {
    const lose = () => held.abort(new Error(`the lease ${name} is lost`));
    const leftMs = (startedMs: number) => startedMs + times.renewDeadlineMs - clock.monotonic();
    let cancel = clock.after(leftMs(sinceMs), lose);
    while (!held.signal.aborted) {
      await sleep(clock, times.retryPeriodMs, held.signal).catch(() => {});
      if (held.signal.aborted) break;
      const { startedMs, outcome } = await tryOnce(held.signal);
      if (outcome === 'held by another') lose();
      if (outcome !== 'held' || held.signal.aborted) continue;
      cancel();
      cancel = clock.after(leftMs(startedMs), lose);
    }
    cancel();
  };
  return {
    async run(lead, signal) {
      while (!signal.aborted) {
        const { startedMs, outcome } = await tryOnce(signal);
        const isInTime = clock.monotonic() < startedMs + times.renewDeadlineMs;
        if (outcome === 'held' && isInTime && !signal.aborted) {
          const held = linkAbort(signal);
          announce(options, lock, 'became leader');
          metrics.leads(name, true);
          const work = lead(held.signal);
          await holdLease(startedMs, held);
          held.release();
          announce(options, lock, 'stopped leading');
          metrics.leads(name, false);
          await work;
        }
        const waitMs = times.retryPeriodMs * (1 + random.float() * jitterFactor);
        await sleep(clock, waitMs, signal).catch(() => {});
      }
      // The signal is aborted; giving the lease back has time of its own.
      await bounded(new AbortController().signal, (until) => lock.release(until)).catch(
        (error: unknown) =>
          log.warn('lease not released', { lease: name, error: errorText(error) }),
      );
    },
  };
}

interface Attempt {
  /** Of the monotonic clock. */
  readonly startedMs: number;
  readonly outcome: 'held' | 'held by another' | 'unknown';
}

function announce(
  { recorder, identity }: LeaderElectorOptions,
  { lease }: LeaseLock,
  what: string,
): void {
  if (lease === undefined) return;
  const message = `${identity} ${what}`;
  recorder.record(aboutLease(lease), { type: 'Normal', reason: 'LeaderElection', message });
}

/** Work that is given up after a time: a server that does not answer renews no lease. */
function createBounded(clock: Clock, timeoutMs: number) {
  return async <T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const until = linkAbort(signal);
    const cancel = clock.after(timeoutMs, () => until.abort(new Error('no answer in time')));
    try {
      return await untilAborted(work(until.signal), until.signal);
    } finally {
      cancel();
      until.release();
    }
  };
}
