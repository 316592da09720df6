// One lease as one candidate sees it: taken when nobody holds it or its holder has been silent for
// its whole duration, renewed while it is ours, given back in the end. All writes carry the version
// that was read, so of two candidates who write at a time one is refused.
//
// Silence is measured by our own clock, from when we saw the last change. The times in the lease
// are for people: clocks of two machines need not agree, only run about equally fast.

import { formatMicroTime, isStatusError, type Clock, type KubeObject } from '@keelson/apimachinery';
import type { Lease } from '@keelson/apimachinery/types/coordination.k8s.io.v1';
import type { ResourceClient } from '@keelson/client';

/** In the lease's namespace. */
export type LeaseClient = Pick<ResourceClient<Lease>, 'get' | 'create' | 'update'>;

export interface LeaseLockOptions {
  readonly leases: LeaseClient;
  readonly name: string;
  readonly identity: string;
  readonly leaseDurationMs: number;
  readonly clock: Clock;
  /** A renewal had to read the lease first. */
  readonly onSlowPath?: () => void;
}

export interface LeaseLock {
  /**
   * Whether it is ours now. Throws when that cannot be said: the write may have been lost, or may
   * yet arrive.
   */
  takeOrRenew(signal: AbortSignal): Promise<boolean>;
  /** Lets others have it at once, if it is still ours. */
  release(signal: AbortSignal): Promise<void>;
  /** The lease as it was last read or written. */
  readonly lease: Lease | undefined;
}

interface Observed {
  readonly lease: Lease;
  readonly content: string;
  /** Of the monotonic clock: when this content was first seen. */
  readonly atMs: number;
}

export function createLeaseLock(options: LeaseLockOptions): LeaseLock {
  const { leases, name, identity, leaseDurationMs, clock, onSlowPath } = options;
  let observed: Observed | undefined;
  const observe = (lease: Lease): Observed => {
    const content = JSON.stringify(lease.spec ?? {});
    const atMs = observed?.content === content ? observed.atMs : clock.monotonic();
    return (observed = { lease, content, atMs });
  };
  const isOurs = (seen: Observed | undefined): seen is Observed =>
    seen?.lease.spec?.holderIdentity === identity;
  const isHeldByOther = (seen: Observed): boolean => {
    const { holderIdentity = '', leaseDurationSeconds } = seen.lease.spec ?? {};
    if (holderIdentity === '' || holderIdentity === identity) return false;
    const lastsMs = (leaseDurationSeconds ?? leaseDurationMs / 1000) * 1000;
    return clock.monotonic() < seen.atMs + lastsMs;
  };
  const nextSpec = (seen: Observed | undefined) => {
    const { acquireTime, leaseTransitions = 0 } = seen?.lease.spec ?? {};
    const renewTime = formatMicroTime(clock.now());
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.round(leaseDurationMs / 1000),
      acquireTime: isOurs(seen) ? (acquireTime ?? renewTime) : renewTime,
      renewTime,
      leaseTransitions:
        seen === undefined || isOurs(seen) ? leaseTransitions : leaseTransitions + 1,
    };
  };
  const renew = async (seen: Observed, signal: AbortSignal) =>
    void observe(await leases.update({ ...seen.lease, spec: nextSpec(seen) }, { signal }));
  const read = async (signal: AbortSignal): Promise<Observed | undefined> => {
    try {
      return observe(await leases.get(name, { signal }));
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      return undefined;
    }
  };
  return {
    async takeOrRenew(signal) {
      if (isOurs(observed)) {
        if (await renewed(() => renew(observed as Observed, signal))) return true;
        onSlowPath?.();
      }
      const seen = await read(signal);
      // Whoever gave up waiting for the answer wants no write any more.
      signal.throwIfAborted();
      if (seen !== undefined && isHeldByOther(seen)) return false;
      if (seen !== undefined) await renew(seen, signal);
      else
        observe(await leases.create({ metadata: { name }, spec: nextSpec(undefined) }, { signal }));
      return true;
    },
    async release(signal) {
      const seen = await read(signal);
      signal.throwIfAborted();
      if (!isOurs(seen)) return;
      const now = formatMicroTime(clock.now());
      // One second, for what reads a lease without looking at its holder.
      const times = { leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
      const spec = { ...seen.lease.spec, ...times, holderIdentity: '' };
      observe(await leases.update({ ...seen.lease, spec }, { signal }));
    },
    get lease() {
      return observed?.lease;
    },
  };
}

/** False when the lease is not as we knew it, and has to be read. */
async function renewed(renew: () => Promise<void>): Promise<boolean> {
  try {
    await renew();
    return true;
  } catch (error) {
    if (isStatusError(error, 'Conflict') || isStatusError(error, 'NotFound')) return false;
    throw error;
  }
}

/** What events about the lease say they are about. */
export function aboutLease({ metadata }: KubeObject) {
  const { namespace = '', name = '', uid = '' } = metadata;
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name, uid };
}
