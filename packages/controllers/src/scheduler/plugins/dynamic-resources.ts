// Devices for pods (KEP-4381): a pod goes where the devices of its claims are, or can be allocated.
// What was found on the chosen node is written into the claims before the pod is bound.

import type { Clock, Random } from '@keelson/apimachinery';
import type {
  AllocationResult,
  ResourceClaim,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Client } from '@keelson/client';
import {
  defaultArguments,
  type PluginArguments,
} from '../configuration/scheduler-configuration.ts';
import { allocateDevices, type ClaimToAllocate } from '../dra/allocate-devices.ts';
import { allocationResult } from '../dra/allocation-result.ts';
import { missingClaim, missingClass } from '../dra/claim-preconditions.ts';
import {
  claimNameOf,
  deallocateClaim,
  isReservedFor,
  reservedForMax,
  type ClaimTracker,
} from '../dra/claim-tracker.ts';
import { bindingState } from '../dra/device-binding.ts';
import { poolsOf } from '../dra/device-pools.ts';
import { expandRequests } from '../dra/device-requests.ts';
import { createDeviceSelectors, type DeviceSelectors } from '../dra/device-selectors.ts';
import { reserveDevices } from '../dra/reserve-devices.ts';
import {
  normalizeScores,
  unresolvable,
  type FilterRun,
  type PostFilterContext,
  type PostFilterResult,
  type Rejection,
  type SchedulerPlugin,
} from '../framework.ts';
import { compileNodeSelector } from '../snapshot/node-selector.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';

export interface DynamicResourcesOptions {
  readonly claims: ClaimTracker;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly isEnabled: (gate: string) => boolean;
  /** The pod waits for devices that are being made ready. */
  readonly tellWaiting: (pod: PodSummary, message: string) => void;
  readonly args?: PluginArguments['DynamicResources'];
}

const name = 'DynamicResources';
const elsewhere = unresolvable(name, 'resourceclaim not available on the node');
const notEnough = unresolvable(name, 'cannot allocate all claims');
/** What the first alternative is worth; one less for each that follows. */
const alternativesMax = 8;

/** What was found out about one pod, until the next one is looked at. */
interface Attempt {
  readonly uid: string;
  readonly claims: readonly ResourceClaim[];
  readonly toAllocate: readonly ClaimToAllocate[];
  /** By node, in the order of `toAllocate`. */
  readonly allocations: Map<string, readonly AllocationResult[]>;
  /** Allocated claims that some node cannot use. */
  readonly unavailable: Set<ResourceClaim>;
  readonly preferences: Map<string, number>;
}

export function createDynamicResources(options: DynamicResourcesOptions): SchedulerPlugin {
  const selectors = createDeviceSelectors();
  let attempt: Attempt | undefined;
  return {
    name,
    weight: 2,
    preEnqueue: (pod) => missingClaim(options.claims, pod),
    begin(pod) {
      attempt = undefined;
      if ((pod.pod.spec.resourceClaims ?? []).length === 0) return undefined;
      const begun = beginAttempt(options, pod);
      if ('reasons' in begun) return begun;
      attempt = begun;
      return runOf(options, selectors, begun);
    },
    postFilter: (context) => postFilter(options, context, attempt),
    score(pod, nodes) {
      const preferences = attempt?.uid === pod.uid ? attempt.preferences : undefined;
      if (preferences === undefined || preferences.size === 0) return undefined;
      return normalizeScores(Float64Array.from(nodes, (node) => preferences.get(node.name) ?? 0));
    },
    reserve(pod, node) {
      if (attempt?.uid !== pod.uid) return undefined;
      const allocations = attempt.allocations.get(node.name) ?? [];
      const { toAllocate } = attempt;
      const decided = attempt.claims.map((claim) => ({
        claim,
        allocation: allocations[toAllocate.findIndex((other) => other.claim === claim)],
      }));
      const { bindingTimeoutMs } = options.args ?? defaultArguments.DynamicResources;
      return reserveDevices(
        { ...options, bindingTimeoutMs },
        { pod, nodeName: node.name, decided },
      );
    },
    mayHelp(pod, event) {
      switch (event.kind) {
        case 'node':
        case 'any':
          return true;
        case 'object': {
          const { resource, object } = event;
          if (resource === 'resourceslices' || resource === 'deviceclasses') return true;
          if (resource !== 'resourceclaims') return false;
          // Its own claims, and those whose devices became free.
          const { status, metadata } = object as unknown as ResourceClaim;
          const isFree = status?.allocation === undefined || event.isDeletion === true;
          return isFree || metadata.namespace === pod.namespace;
        }
        default:
          return false;
      }
    },
  };
}

function beginAttempt(options: DynamicResourcesOptions, pod: PodSummary): Attempt | Rejection {
  const { claims: tracker, isEnabled } = options;
  const problem = missingClaim(tracker, pod);
  if (problem !== undefined) return unresolvable(name, problem);
  const claims: ResourceClaim[] = [];
  const toAllocate: ClaimToAllocate[] = [];
  for (const reference of pod.pod.spec.resourceClaims ?? []) {
    const found = claimNameOf(pod, reference);
    const claimName = 'name' in found ? found.name : undefined;
    const claim = claimName === undefined ? undefined : tracker.claim(pod.namespace, claimName);
    if (claim === undefined || claims.includes(claim)) continue;
    claims.push(claim);
    const { status } = claim;
    if (status?.allocation !== undefined) {
      const isFull = (status.reservedFor ?? []).length >= reservedForMax;
      if (isFull && !isReservedFor(claim, pod.uid))
        return unresolvable(name, 'resourceclaim in use');
      continue;
    }
    if (tracker.isInFlight(claim)) {
      const text = `resource claim ${pod.namespace}/${claimName ?? ''} is in the process of being allocated`;
      return unresolvable(name, text);
    }
    const missing = missingClass(tracker, claim);
    if (missing !== undefined) return unresolvable(name, missing);
    const context = { isEnabled, deviceClass: tracker.deviceClass };
    toAllocate.push({ claim, requests: expandRequests(claim, context) });
  }
  return {
    uid: pod.uid,
    claims,
    toAllocate,
    allocations: new Map(),
    unavailable: new Set(),
    preferences: new Map(),
  };
}

function runOf(
  options: DynamicResourcesOptions,
  selectors: DeviceSelectors,
  attempt: Attempt,
): FilterRun {
  const { clock, args = defaultArguments.DynamicResources } = options;
  const allocated = attempt.claims.flatMap((claim) => {
    const binding = { now: clock.now(), timeoutMs: args.bindingTimeoutMs };
    if (isLost(claim, binding)) return [{ claim, matches: () => false }];
    const selector = claim.status?.allocation?.nodeSelector;
    return selector === undefined ? [] : [{ claim, matches: compileNodeSelector(selector) }];
  });
  const findDevices =
    attempt.toAllocate.length === 0 ? undefined : deviceFinder(options, selectors, attempt);
  return {
    filter(node) {
      const unusable = allocated.filter(({ matches }) => !matches(node));
      for (const { claim } of unusable) attempt.unavailable.add(claim);
      if (unusable.length > 0) return elsewhere;
      return findDevices === undefined || findDevices(node) ? undefined : notEnough;
    },
  };
}

/** Its devices will not become ready. */
function isLost(claim: ResourceClaim, binding: Parameters<typeof bindingState>[1]): boolean {
  return ['failed', 'timed-out'].includes(bindingState(claim, binding));
}

/** Whether a node has devices for the claims; which ones is noted in the attempt. */
function deviceFinder(
  { claims: tracker, clock, isEnabled, random, args }: DynamicResourcesOptions,
  selectors: DeviceSelectors,
  { toAllocate, allocations, preferences }: Attempt,
): (node: NodeState) => boolean {
  const slices = tracker.slices();
  const allocated = tracker.allocated();
  const { filterTimeoutMs } = args ?? defaultArguments.DynamicResources;
  const features = { hasPartitions: isEnabled('DRAPartitionableDevices') };
  return (node) => {
    const deadline = filterTimeoutMs === 0 ? Infinity : clock.monotonic() + filterTimeoutMs;
    const checkTime = () => {
      if (clock.monotonic() > deadline)
        throw new Error(`node ${node.name}: timed out trying to allocate devices`);
    };
    const pools = poolsOf(slices, node, features);
    const context = { node, pools, selectors, allocated, isEnabled, checkTime };
    const chosen = allocateDevices(toAllocate, context);
    if (chosen === undefined) return false;
    const results = toAllocate.map(({ claim }, i) =>
      allocationResult(claim, chosen[i] ?? [], { node, random }),
    );
    allocations.set(node.name, results);
    const preference = preferenceOf(toAllocate, results);
    if (preference > 0) preferences.set(node.name, preference);
    return true;
  };
}

/** Earlier alternatives are better; requests without alternatives say nothing. */
function preferenceOf(
  toAllocate: readonly ClaimToAllocate[],
  results: readonly AllocationResult[],
): number {
  let sum = 0;
  for (const [i, { claim }] of toAllocate.entries()) {
    for (const { name: request, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
      const chosen = new Set(results[i]?.devices?.results?.map((result) => result.request));
      const at = firstAvailable.findIndex((sub) => chosen.has(`${request}/${sub.name}`));
      if (at >= 0) sum += alternativesMax - at;
    }
  }
  return sum;
}

function postFilter(
  { client }: DynamicResourcesOptions,
  { pod, asked }: PostFilterContext,
  attempt: Attempt | undefined,
): PostFilterResult {
  // COMPAT: what another plugin refused before this one could look at the pod is not its matter, and
  // kube-scheduler says so in these words.
  if (!asked.has(name)) return { isFinal: true, message: 'not found' };
  const hasClaims = (pod.pod.spec.resourceClaims ?? []).length > 0;
  if (!hasClaims) return { isFinal: false, message: 'no new claims to deallocate' };
  const isUnused = ({ status }: ResourceClaim) => {
    const reservedFor = status?.reservedFor ?? [];
    return (
      reservedFor.length === 0 || (reservedFor.length === 1 && reservedFor[0]?.uid === pod.uid)
    );
  };
  const claims = attempt?.uid === pod.uid ? [...attempt.unavailable] : [];
  const unused = claims.find(isUnused);
  if (unused === undefined) return { isFinal: false, message: 'still not schedulable' };
  return {
    isFinal: false,
    message: 'deallocation of ResourceClaim completed',
    execute: (signal) => deallocateClaim(client, unused, signal),
  };
}
