// From the decision to the binding: devices are set aside for the claims of a pod, written into the
// claims, and waited for where they have to be made ready first.

import { formatTime, type Clock } from '@keelson/apimachinery';
import type {
  AllocationResult,
  ResourceClaim,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Client } from '@keelson/client';
import type { Reservation } from '../framework.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { reserveClaim, type ClaimTracker } from './claim-tracker.ts';
import { awaitBinding, needsBinding } from './device-binding.ts';

export interface ReserveDevicesOptions {
  readonly claims: ClaimTracker;
  readonly client: Client;
  readonly clock: Clock;
  /** The pod waits for devices that are being made ready. */
  readonly tellWaiting: (pod: PodSummary, message: string) => void;
  readonly bindingTimeoutMs: number;
}

export interface DecidedClaim {
  readonly claim: ResourceClaim;
  /** Absent when it has devices already. */
  readonly allocation?: AllocationResult | undefined;
}

export function reserveDevices(
  options: ReserveDevicesOptions,
  {
    pod,
    nodeName,
    decided,
  }: {
    readonly pod: PodSummary;
    readonly nodeName: string;
    readonly decided: readonly DecidedClaim[];
  },
): Reservation {
  const { claims: tracker, client, clock } = options;
  const takeBack = decided.flatMap(({ claim, allocation }) =>
    allocation === undefined ? [] : [tracker.decide(claim, allocation)],
  );
  return {
    async preBind(signal) {
      for (const { claim, allocation } of decided) {
        const now = formatTime(clock.now());
        await reserveClaim(client, { claim, allocation, pod, now }, signal);
      }
      const waiting = decided.filter(({ claim, allocation = claim.status?.allocation }) =>
        needsBinding(allocation),
      );
      if (waiting.length === 0) return;
      options.tellWaiting(pod, `waiting for binding conditions for device on node ${nodeName}`);
      for (const { claim } of waiting) {
        const look = () => tracker.claim(pod.namespace, claim.metadata.name ?? '');
        await awaitBinding({ clock, look, timeoutMs: options.bindingTimeoutMs }, signal);
      }
    },
    unreserve: () => takeBack.forEach((undo) => undo()),
  };
}
