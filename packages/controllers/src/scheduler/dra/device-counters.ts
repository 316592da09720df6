// What is left of the counters that the devices of a pool share (KEP-4815): partitions of a device
// can be given out as long as their sum fits.

import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  subtractQuantities,
  type Quantity,
} from '@keelson/apimachinery';
import type { DevicePool, PoolDevice } from './device-pools.ts';

export interface DeviceCounters {
  fits(device: PoolDevice): boolean;
  use(device: PoolDevice): void;
  release(device: PoolDevice): void;
}

/** `isAllocated` by id of the device. */
export function createDeviceCounters(
  pools: readonly DevicePool[],
  isAllocated: (id: string) => boolean,
): DeviceCounters {
  const left = new Map<string, Quantity>();
  const keyOf = (device: PoolDevice, set: string, counter: string) =>
    JSON.stringify([device.driver, device.pool, set, counter]);
  const each = (device: PoolDevice, visit: (key: string, amount: Quantity) => boolean) =>
    (device.device.consumesCounters ?? []).every(({ counterSet, counters }) =>
      Object.entries(counters).every(([name, { value }]) =>
        visit(keyOf(device, counterSet, name), parseQuantity(value)),
      ),
    );
  const change = (device: PoolDevice, by: (a: Quantity, b: Quantity) => Quantity) =>
    void each(device, (key, amount) => {
      const now = left.get(key);
      if (now !== undefined) left.set(key, by(now, amount));
      return true;
    });
  for (const { driver, name: pool, counters, allDevices } of pools) {
    for (const [set, values] of counters)
      for (const [counter, { value }] of Object.entries(values))
        left.set(JSON.stringify([driver, pool, set, counter]), parseQuantity(value));
    for (const device of allDevices) if (isAllocated(device.id)) change(device, subtractQuantities);
  }
  return {
    fits: (device) =>
      each(device, (key, amount) => {
        const now = left.get(key);
        return now !== undefined && compareQuantities(amount, now) <= 0;
      }),
    use: (device) => change(device, subtractQuantities),
    release: (device) => change(device, addQuantities),
  };
}
