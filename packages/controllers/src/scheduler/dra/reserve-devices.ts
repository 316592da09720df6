// From the decision to the binding: devices are set aside for the claims of a pod, written into the
// claims, and waited for where they have to be made ready first.

import { formatTime, type Clock } from '@keelson/apimachinery';
import type {
  AllocationResult,
  ResourceClaim,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Client } from '@keelson/client';
import {
  defaultArguments,
  type PluginArguments,
} from '../configuration/scheduler-configuration.ts';
import type { Reservation } from '../framework.ts';
import type { SchedulerMetrics } from '../metrics/scheduler-metrics.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { reserveClaim, type ClaimTracker } from './claim-tracker.ts';
import { awaitBinding, needsBinding } from './device-binding.ts';
import type { ExtendedClaim } from './extended-attempt.ts';
import { createExtendedClaim, deleteExtendedClaim, tellExtendedClaim } from './extended-claim.ts';

export interface ReserveDevicesOptions {
  readonly claims: ClaimTracker;
  readonly client: Client;
  readonly clock: Clock;
  /** The pod waits for devices that are being made ready. */
  readonly tellWaiting: (pod: PodSummary, message: string) => void;
  readonly args?: PluginArguments['DynamicResources'];
  readonly metrics?: Pick<SchedulerMetrics, 'claimCreated'>;
}

export interface DecidedClaim {
  readonly claim: ResourceClaim;
  /** Absent when it has devices already. */
  readonly allocation?: AllocationResult | undefined;
}

export interface DeviceDecisions {
  readonly pod: PodSummary;
  readonly nodeName: string;
  readonly decided: readonly DecidedClaim[];
  /** For what the pod asks for by names of resources; this claim is only in memory. */
  readonly extended?: ExtendedClaim & { readonly allocation: AllocationResult };
}

export function reserveDevices(
  options: ReserveDevicesOptions,
  { pod, nodeName, decided, extended }: DeviceDecisions,
): Reservation {
  const { claims: tracker, client, clock } = options;
  const decisions = extended === undefined ? decided : [...decided, extended];
  const takeBack = decisions.flatMap(({ claim, allocation }) =>
    allocation === undefined ? [] : [tracker.decide(claim, allocation)],
  );
  let created: ResourceClaim | undefined;
  const create = async (
    wanted: NonNullable<typeof extended>,
    signal: AbortSignal,
  ): Promise<DecidedClaim> => {
    created = await createExtendedClaim(options, wanted, signal);
    // From now on the devices are those of the claim that the server knows.
    takeBack.pop()?.();
    takeBack.push(tracker.decide(created, wanted.allocation));
    return { claim: created, allocation: wanted.allocation };
  };
  return {
    async preBind(signal) {
      const written = [...decided];
      if (extended !== undefined) written.push(await create(extended, signal));
      for (const { claim, allocation } of written) {
        const now = formatTime(clock.now());
        await reserveClaim(client, { claim, allocation, pod, now }, signal);
      }
      if (extended !== undefined && created !== undefined)
        await tellExtendedClaim(
          client,
          { pod, claim: created, mappings: extended.mappings },
          signal,
        );
      await awaitDevices(options, { pod, nodeName, decided: written }, signal);
    },
    unreserve: () => takeBack.forEach((undo) => undo()),
    async revoke(signal) {
      if (created !== undefined) await deleteExtendedClaim(client, created, signal);
    },
  };
}

/** Until those that must be made ready are. */
async function awaitDevices(
  options: ReserveDevicesOptions,
  { pod, nodeName, decided }: DeviceDecisions,
  signal: AbortSignal,
): Promise<void> {
  const { claims: tracker, clock, args = defaultArguments.DynamicResources } = options;
  const waiting = decided.filter(({ claim, allocation = claim.status?.allocation }) =>
    needsBinding(allocation),
  );
  if (waiting.length === 0) return;
  options.tellWaiting(pod, `waiting for binding conditions for device on node ${nodeName}`);
  for (const { claim } of waiting) {
    const look = () => tracker.claim(pod.namespace, claim.metadata.name ?? '');
    await awaitBinding({ clock, look, timeoutMs: args.bindingTimeoutMs }, signal);
  }
}
