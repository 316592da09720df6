// What is given out already. A device belongs to one claim, unless it may be allocated several times
// (KEP-5075): then each claim has a share, and what the shares consume of its capacities is added up.
// Access for administration takes nothing from anybody.

import { addQuantities, parseQuantity, type Quantity } from '@keelson/apimachinery';
import type { AllocationResult } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { deviceId } from './device-pools.ts';

/** By name of the capacity. */
export type Consumption = ReadonlyMap<string, Quantity>;

export interface AllocatedDevices {
  /** Ids of devices that a claim has for itself. */
  readonly exclusive: ReadonlySet<string>;
  /** By id of the device: the sum of its shares. */
  readonly shared: ReadonlyMap<string, Consumption>;
}

export function collectAllocated(
  allocations: Iterable<AllocationResult | undefined>,
): AllocatedDevices {
  const exclusive = new Set<string>();
  const shared = new Map<string, Consumption>();
  for (const allocation of allocations) {
    for (const result of allocation?.devices?.results ?? []) {
      if (result.adminAccess === true) continue;
      const id = deviceId(result.driver, result.pool, result.device);
      if (result.shareID === undefined) exclusive.add(id);
      else shared.set(id, sumOf(shared.get(id), parsed(result.consumedCapacity)));
    }
  }
  return { exclusive, shared };
}

export function sumOf(a: Consumption = new Map(), b: Consumption = new Map()): Consumption {
  const sum = new Map(a);
  for (const [name, amount] of b) {
    const before = sum.get(name);
    sum.set(name, before === undefined ? amount : addQuantities(before, amount));
  }
  return sum;
}

function parsed(amounts: Readonly<Record<string, string>> = {}): Consumption {
  return new Map(Object.entries(amounts).map(([name, value]) => [name, parseQuantity(value)]));
}
