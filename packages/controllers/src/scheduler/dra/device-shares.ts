// Devices that several claims may have at once, while one search for devices goes on: what is left
// of their capacities.

import { subtractQuantities } from '@keelson/apimachinery';
import { sumOf, type Consumption } from './allocated-devices.ts';
import { consumptionOf, isWithinCapacity, type CapacityRequests } from './device-capacity.ts';
import type { PoolDevice } from './device-pools.ts';

export interface DeviceShares {
  /** Somebody has a share of it. */
  isShared(device: PoolDevice): boolean;
  /** What a share for this request would be; undefined when there is not so much left. */
  shareOf(device: PoolDevice, requests: CapacityRequests): Consumption | undefined;
  use(device: PoolDevice, share: Consumption): void;
  release(device: PoolDevice, share: Consumption): void;
}

interface Shares {
  count: number;
  sum: Consumption;
}

export function createDeviceShares(before: ReadonlyMap<string, Consumption>): DeviceShares {
  const shares = new Map<string, Shares>();
  for (const [id, sum] of before) shares.set(id, { count: 1, sum });
  return {
    isShared: ({ id }) => (shares.get(id)?.count ?? 0) > 0,
    shareOf(device, requests) {
      const share = consumptionOf(device, requests);
      if (share === undefined) return undefined;
      return isWithinCapacity(device, sumOf(shares.get(device.id)?.sum, share)) ? share : undefined;
    },
    use({ id }, share) {
      const { count, sum } = shares.get(id) ?? { count: 0, sum: undefined };
      shares.set(id, { count: count + 1, sum: sumOf(sum, share) });
    },
    release({ id }, share) {
      const { count, sum } = shares.get(id) ?? { count: 1, sum: new Map() };
      const left = new Map(sum);
      for (const [name, amount] of share) {
        const now = left.get(name);
        if (now !== undefined) left.set(name, subtractQuantities(now, amount));
      }
      shares.set(id, { count: count - 1, sum: left });
    },
  };
}
