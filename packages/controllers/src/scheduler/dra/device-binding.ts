// Devices that have to be made ready before a pod may use them (KEP-5007): their driver says in the
// status of the claim when each binding condition holds, or that one of failure does. The pod is
// bound when all hold; a claim that failed, or took too long, is given other devices.

import { sleep, type Clock } from '@keelson/apimachinery';
import type {
  AllocationResult,
  DeviceRequestAllocationResult,
  ResourceClaim,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';

export type BindingState = 'ready' | 'pending' | 'failed' | 'timed-out';

/** COMPAT: how often kube-scheduler looks. */
const lookEveryMs = 5_000;

export function needsBinding(allocation: AllocationResult | undefined): boolean {
  return (allocation?.devices?.results ?? []).some(
    ({ bindingConditions = [] }) => bindingConditions.length > 0,
  );
}

export function bindingState(
  claim: ResourceClaim,
  { now, timeoutMs }: { readonly now: number; readonly timeoutMs: number },
): BindingState {
  const { allocation } = claim.status ?? {};
  const waiting = (allocation?.devices?.results ?? []).filter(
    ({ bindingConditions = [] }) => bindingConditions.length > 0,
  );
  if (waiting.length === 0) return 'ready';
  const reported = waiting.map((result) => ({ result, isTrue: trueConditions(claim, result) }));
  const hasFailed = reported.some(({ result, isTrue }) =>
    (result.bindingFailureConditions ?? []).some((type) => isTrue.has(type)),
  );
  if (hasFailed) return 'failed';
  const isReady = reported.every(({ result, isTrue }) =>
    (result.bindingConditions ?? []).every((type) => isTrue.has(type)),
  );
  if (isReady) return 'ready';
  const since = Date.parse(allocation?.allocationTimestamp ?? '');
  return now - since > timeoutMs ? 'timed-out' : 'pending';
}

function trueConditions(
  { status }: ResourceClaim,
  { driver, pool, device, shareID }: DeviceRequestAllocationResult,
): ReadonlySet<string> {
  const entry = status?.devices?.find(
    (other) =>
      other.driver === driver &&
      other.pool === pool &&
      other.device === device &&
      other.shareID === shareID,
  );
  const isTrue = (entry?.conditions ?? []).filter(({ status: value }) => value === 'True');
  return new Set(isTrue.map(({ type }) => type));
}

export interface BindingWait {
  readonly clock: Clock;
  /** As it is now, or undefined when it is gone. */
  readonly look: () => ResourceClaim | undefined;
  readonly timeoutMs: number;
}

/** Resolves when the devices are ready. Throws when they will not be, or not in time. */
export async function awaitBinding(
  { clock, look, timeoutMs }: BindingWait,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonic() + timeoutMs;
  for (;;) {
    const claim = look();
    // The informer may not have told of the allocation yet.
    const state =
      claim?.status?.allocation === undefined
        ? 'pending'
        : bindingState(claim, { now: clock.now(), timeoutMs });
    if (state === 'ready') return;
    if (state === 'failed') throw new Error('device binding failed');
    if (state === 'timed-out' || clock.monotonic() > deadline)
      throw new Error('device binding timeout');
    await sleep(clock, lookEveryMs, signal);
  }
}
