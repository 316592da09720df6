// Devices for pods (KEP-4381): a pod goes where the devices of its claims are, or can be allocated.
// What was found on the chosen node is written into the claims before the pod is bound.

import type { Random } from '@keelson/apimachinery';
import type {
  AllocationResult,
  ResourceClaim,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { defaultArguments } from '../configuration/scheduler-configuration.ts';
import { allocateDevices, type ClaimToAllocate } from '../dra/allocate-devices.ts';
import { allocationResult } from '../dra/allocation-result.ts';
import { missingClaim, missingClass } from '../dra/claim-preconditions.ts';
import {
  claimNameOf,
  deallocateClaim,
  isReservedFor,
  reservedForMax,
} from '../dra/claim-tracker.ts';
import { bindingState } from '../dra/device-binding.ts';
import { poolsOf } from '../dra/device-pools.ts';
import { expandRequests, type RequestContext } from '../dra/device-requests.ts';
import { createDeviceSelectors, type DeviceSelectors } from '../dra/device-selectors.ts';
import {
  beginExtended,
  type ExtendedAttempt,
  type ExtendedClaim,
} from '../dra/extended-attempt.ts';
import { deleteExtendedClaim } from '../dra/extended-claim.ts';
import { reserveDevices, type ReserveDevicesOptions } from '../dra/reserve-devices.ts';
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

export interface DynamicResourcesOptions extends ReserveDevicesOptions {
  readonly random: Random;
  readonly isEnabled: (gate: string) => boolean;
}

const name = 'DynamicResources';
const elsewhere = unresolvable(name, 'resourceclaim not available on the node');
const notEnough = unresolvable(name, 'cannot allocate all claims');
/** What the first alternative is worth; one less for each that follows. */
const alternativesMax = 8;

/** What a node can give to the pod. */
interface NodeAllocation {
  readonly byClaim: ReadonlyMap<ResourceClaim, AllocationResult>;
  readonly extended: ExtendedClaim | undefined;
}

/** What was found out about one pod, until the next one is looked at. */
interface Attempt {
  readonly uid: string;
  readonly claims: readonly ResourceClaim[];
  readonly toAllocate: readonly ClaimToAllocate[];
  /** Devices that the pod asks for by names of resources. */
  readonly extended: ExtendedAttempt | undefined;
  readonly allocations: Map<string, NodeAllocation>;
  /** Allocated claims that some node cannot use. */
  readonly unavailable: Set<ResourceClaim>;
  readonly preferences: Map<string, number>;
}

export function createDynamicResources(options: DynamicResourcesOptions): SchedulerPlugin {
  const selectors = createDeviceSelectors();
  const hasExtended = options.isEnabled('DRAExtendedResource');
  const context = { ...options, deviceClass: options.claims.deviceClass };
  let attempt: Attempt | undefined;
  return {
    name,
    weight: 2,
    preEnqueue: (pod) => missingClaim(options.claims, pod),
    begin(pod) {
      attempt = undefined;
      const extended = hasExtended ? beginExtended(context, pod) : undefined;
      if (extended === undefined && (pod.pod.spec.resourceClaims ?? []).length === 0)
        return undefined;
      const begun = beginAttempt(context, pod, extended);
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
      return reserveDevices(options, { pod, nodeName: node.name, ...decisionsOn(node, attempt) });
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

/** What was found for each claim, on the node that was chosen. */
function decisionsOn({ name: nodeName }: NodeState, { claims, allocations }: Attempt) {
  const found = allocations.get(nodeName);
  const decided = claims.map((claim) => ({ claim, allocation: found?.byClaim.get(claim) }));
  const allocation = found?.extended && found.byClaim.get(found.extended.claim);
  if (found?.extended === undefined || allocation === undefined) return { decided };
  return { decided, extended: { ...found.extended, allocation } };
}

function beginAttempt(
  context: DynamicResourcesOptions & RequestContext,
  pod: PodSummary,
  extended: ExtendedAttempt | undefined,
): Attempt | Rejection {
  const { claims: tracker } = context;
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
    toAllocate.push({ claim, requests: expandRequests(claim, context) });
  }
  return {
    uid: pod.uid,
    claims,
    toAllocate,
    extended,
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
  const { toAllocate, extended } = attempt;
  const findDevices =
    toAllocate.length === 0 && extended === undefined
      ? undefined
      : deviceFinder(options, selectors, attempt);
  return {
    filter(node) {
      const wanted = extended?.claimOn(node);
      if (typeof wanted === 'string') return unresolvable(name, wanted);
      const unusable = allocated.filter(({ matches }) => !matches(node));
      for (const { claim } of unusable) attempt.unavailable.add(claim);
      if (unusable.length > 0) return elsewhere;
      return findDevices === undefined || findDevices(node, wanted) ? undefined : notEnough;
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
  { toAllocate: named, allocations, preferences }: Attempt,
): (node: NodeState, extended: ExtendedClaim | undefined) => boolean {
  const slices = tracker.slices();
  const allocated = tracker.allocated();
  const { filterTimeoutMs } = args ?? defaultArguments.DynamicResources;
  const features = { hasPartitions: isEnabled('DRAPartitionableDevices') };
  return (node, extended) => {
    const toAllocate = extended === undefined ? named : [...named, extended];
    if (toAllocate.length === 0) return true;
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
    const byClaim = new Map(toAllocate.map(({ claim }, i) => [claim, results[i] ?? {}]));
    allocations.set(node.name, { byClaim, extended });
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
  const current = attempt?.uid === pod.uid ? attempt : undefined;
  const hasClaims = (pod.pod.spec.resourceClaims ?? []).length > 0;
  if (!hasClaims && current?.extended === undefined)
    return { isFinal: false, message: 'no new claims to deallocate' };
  const isUnused = ({ status }: ResourceClaim) => {
    const reservedFor = status?.reservedFor ?? [];
    return (
      reservedFor.length === 0 || (reservedFor.length === 1 && reservedFor[0]?.uid === pod.uid)
    );
  };
  const unused = [...(current?.unavailable ?? [])].find(isUnused);
  if (unused !== undefined)
    return {
      isFinal: false,
      message: 'deallocation of ResourceClaim completed',
      execute: (signal) => deallocateClaim(client, unused, signal),
    };
  const stale = current?.extended?.stale;
  if (stale === undefined) return { isFinal: false, message: 'still not schedulable' };
  return {
    isFinal: false,
    message: 'deletion of ResourceClaim completed',
    execute: (signal) => deleteExtendedClaim(client, stale, signal),
  };
}
