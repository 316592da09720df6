// Finds devices on one node for all claims of a pod together: depth first, claim by claim, request by
// request, device by device; the first complete solution is taken (KEP-4381, structured parameters).

import type { DeviceTaint, ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { isTolerated } from '../../pods/tolerations.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import { satisfies, type ChosenDevice } from './device-constraints.ts';
import type { AllocatedDevices, Consumption } from './allocated-devices.ts';
import { createDeviceCounters, type DeviceCounters } from './device-counters.ts';
import { consumptionOf, isWithinCapacity } from './device-capacity.ts';
import type { DevicePool, PoolDevice } from './device-pools.ts';
import {
  claimName,
  devicesMax,
  type DeviceAlternative,
  type ExpandedRequest,
} from './device-requests.ts';
import type { DeviceSelectors } from './device-selectors.ts';
import { createDeviceShares, type DeviceShares } from './device-shares.ts';

export interface ChosenForClaim extends ChosenDevice {
  readonly alternative: DeviceAlternative;
  /** What is taken of a device that others may have, too. */
  readonly share?: Consumption;
}
export interface ClaimToAllocate {
  readonly claim: ResourceClaim;
  readonly requests: readonly ExpandedRequest[];
}

export interface AllocationContext {
  readonly node: NodeState;
  readonly pools: readonly DevicePool[];
  readonly selectors: DeviceSelectors;
  readonly allocated: AllocatedDevices;
  readonly isEnabled: (gate: string) => boolean;
  /** Throws when it has taken too long. */
  readonly checkTime: () => void;
}

interface Search extends AllocationContext {
  readonly claims: readonly ClaimToAllocate[];
  readonly devices: readonly PoolDevice[];
  readonly counters: DeviceCounters;
  readonly shares: DeviceShares;
  /** By claim. */
  readonly chosen: ChosenForClaim[][];
  readonly taken: Set<string>;
  readonly memo: Map<DeviceAlternative, Map<string, boolean>>;
}

/** Devices by claim, or undefined when they do not suffice. Throws when nobody can decide. */
export function allocateDevices(
  claims: readonly ClaimToAllocate[],
  context: AllocationContext,
): readonly (readonly ChosenForClaim[])[] | undefined {
  const { exclusive, shared } = context.allocated;
  const usable = context.pools.filter(({ problem }) => problem === undefined);
  const search: Search = {
    ...context,
    claims,
    devices: usable.flatMap(({ devices }) => devices),
    counters: createDeviceCounters(usable, (id) => exclusive.has(id) || shared.has(id)),
    shares: createDeviceShares(shared),
    chosen: claims.map(() => []),
    taken: new Set(),
    memo: new Map(),
  };
  return solveRequest(search, 0, 0) ? search.chosen : undefined;
}

function solveRequest(search: Search, claimAt: number, requestAt: number): boolean {
  const claim = search.claims[claimAt];
  if (claim === undefined) return true;
  const request = claim.requests[requestAt];
  if (request === undefined) return solveRequest(search, claimAt + 1, 0);
  const next = () => solveRequest(search, claimAt, requestAt + 1);
  return request.alternatives.some((alternative) =>
    alternative.count === undefined
      ? solveAll(search, { claimAt, alternative, next })
      : solveSlots(search, { claimAt, alternative, next }, { left: alternative.count, from: 0 }),
  );
}

interface Step {
  readonly claimAt: number;
  readonly alternative: DeviceAlternative;
  next(): boolean;
}

/** Combinations, not permutations: devices of one request are tried in ascending order. */
function solveSlots(
  search: Search,
  step: Step,
  { left, from }: { readonly left: number; readonly from: number },
): boolean {
  if (left === 0) return step.next();
  for (let at = from; at <= search.devices.length - left; at++) {
    search.checkTime();
    const device = search.devices[at];
    if (device === undefined || !isSelectable(search, step, device)) continue;
    if (!isFree(search, step, device) || !fitsConstraints(search, step, device)) continue;
    choose(search, step, device);
    if (solveSlots(search, step, { left: left - 1, from: at + 1 })) return true;
    unchoose(search, step);
  }
  return false;
}

function solveAll(search: Search, step: Step): boolean {
  const { claim } = search.claims[step.claimAt] as ClaimToAllocate;
  const place = `${claimName(claim)}, request ${step.alternative.name}`;
  for (const { driver, name, problem } of search.pools) {
    if (problem === undefined) continue;
    const state = problem === 'incomplete' ? 'being updated' : 'invalid';
    throw new Error(
      `${place}: asks for all devices, but resource pool ${driver}/${name} is currently ${state}`,
    );
  }
  const wanted = search.devices.filter((device) => isSelectable(search, step, device));
  if (wanted.length === 0) return false;
  let count = 0;
  const takeBack = () => {
    for (; count > 0; count--) unchoose(search, step);
    return false;
  };
  for (const device of wanted) {
    if (!isFree(search, step, device)) return takeBack();
    if (!fitsConstraints(search, step, device)) {
      takeBack();
      const text = `cannot add device ${device.id} because a claim constraint would not be satisfied`;
      throw new Error(`${place}: ${text}`);
    }
    choose(search, step, device);
    count++;
  }
  return step.next() || takeBack();
}

/** By the selectors of class and request; the same whatever else was chosen. */
function isSelectable(search: Search, { claimAt, alternative }: Step, pooled: PoolDevice): boolean {
  let known = search.memo.get(alternative);
  if (known === undefined) search.memo.set(alternative, (known = new Map()));
  let selectable = known.get(pooled.id);
  if (selectable !== undefined) return selectable;
  const { claim } = search.claims[claimAt] as ClaimToAllocate;
  const { deviceClass, selectors } = alternative;
  const { driver, device } = pooled;
  const subject = { driver, device };
  const className = `class ${deviceClass.metadata.name ?? ''}`;
  selectable =
    ((device.bindingConditions ?? []).length === 0 || knowsBinding(search)) &&
    search.selectors.matches(className, deviceClass.spec.selectors ?? [], subject) &&
    search.selectors.matches(claimName(claim), selectors, subject);
  known.set(pooled.id, selectable);
  return selectable;
}

function isFree(search: Search, { claimAt, alternative }: Step, pooled: PoolDevice): boolean {
  const mine = search.chosen[claimAt] ?? [];
  if (mine.length >= devicesMax) return false;
  const isShared = isShareable(search, pooled);
  // Two requests of a claim may have shares of one device.
  const isMine = ({ device, request }: ChosenForClaim) =>
    device.id === pooled.id && (!isShared || request === alternative.name);
  if (mine.some(isMine)) return false;
  if (alternative.adminAccess !== true && !isLeft(search, alternative, pooled)) return false;
  if (!search.isEnabled('DRADeviceTaints')) return true;
  return (pooled.device.taints ?? []).every(
    (taint) => !isHard(taint) || isTolerated(taint, alternative.tolerations),
  );
}

/** Nobody has it, or it may be had by several and there is enough left of it. */
function isLeft(search: Search, { capacity }: DeviceAlternative, pooled: PoolDevice): boolean {
  const { allocated, counters, shares, taken } = search;
  if (isShareable(search, pooled)) {
    if (shares.shareOf(pooled, capacity) === undefined) return false;
    return shares.isShared(pooled) || counters.fits(pooled);
  }
  const { exclusive, shared } = allocated;
  if (taken.has(pooled.id) || exclusive.has(pooled.id) || shared.has(pooled.id)) return false;
  return counters.fits(pooled) && hasCapacity(pooled, capacity);
}

/** Who has a device alone takes as much of it as he likes, but not more than there is. */
function hasCapacity(pooled: PoolDevice, capacity: DeviceAlternative['capacity']): boolean {
  if (Object.keys(capacity).length === 0) return true;
  const taken = consumptionOf(pooled, capacity);
  return taken !== undefined && isWithinCapacity(pooled, taken);
}

function isShareable({ isEnabled }: AllocationContext, { device }: PoolDevice): boolean {
  return device.allowMultipleAllocations === true && isEnabled('DRAConsumableCapacity');
}

function knowsBinding({ isEnabled }: AllocationContext): boolean {
  return isEnabled('DRADeviceBindingConditions') && isEnabled('DRAResourceClaimDeviceStatus');
}

function isHard({ effect }: DeviceTaint): boolean {
  return effect === 'NoSchedule' || effect === 'NoExecute';
}

function fitsConstraints(search: Search, { claimAt, alternative }: Step, device: PoolDevice) {
  const { claim } = search.claims[claimAt] as ClaimToAllocate;
  const { constraints = [] } = claim.spec.devices ?? {};
  const candidate = { request: alternative.name, device };
  const hasLists = search.isEnabled('DRAListTypeAttributes');
  return satisfies(constraints, search.chosen[claimAt] ?? [], candidate, hasLists);
}

function choose(search: Search, { claimAt, alternative }: Step, device: PoolDevice): void {
  const { chosen, counters, shares, taken } = search;
  const isAdmin = alternative.adminAccess === true;
  const share =
    !isAdmin && isShareable(search, device)
      ? shares.shareOf(device, alternative.capacity)
      : undefined;
  const { name: request } = alternative;
  chosen[claimAt]?.push({ request, device, alternative, ...(share !== undefined && { share }) });
  if (isAdmin) return;
  // The counters of a device are used up once, however many have a share of it.
  if (share === undefined || !shares.isShared(device)) counters.use(device);
  if (share === undefined) taken.add(device.id);
  else shares.use(device, share);
}

function unchoose({ chosen, counters, shares, taken }: Search, { claimAt, alternative }: Step) {
  const last = chosen[claimAt]?.pop();
  if (last === undefined || alternative.adminAccess === true) return;
  const { device, share } = last;
  if (share === undefined) taken.delete(device.id);
  else shares.release(device, share);
  if (share === undefined || !shares.isShared(device)) counters.release(device);
}
