// How much of a device's capacities one request takes (KEP-5075): what it asks for, rounded up as the
// capacity's policy says; without a word the policy's default; without a policy all that there is.

import {
  addQuantities,
  compareQuantities,
  multiplyQuantity,
  parseQuantity,
  quantityScale,
  scaledValue,
  subtractQuantities,
  type Quantity,
} from '@keelson/apimachinery';
import type {
  CapacityRequestPolicyRange,
  DeviceCapacity,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Consumption } from './allocated-devices.ts';
import type { PoolDevice } from './device-pools.ts';

export type CapacityRequests = Readonly<Record<string, string>>;

/** Undefined: the device lacks a capacity that is asked for, or its policy forbids the amount. */
export function consumptionOf(
  { device, driver }: PoolDevice,
  requests: CapacityRequests,
): Consumption | undefined {
  const qualified = (name: string) => (name.includes('/') ? name : `${driver}/${name}`);
  const wanted = new Map(Object.entries(requests).map(([name, value]) => [qualified(name), value]));
  const consumption = new Map<string, Quantity>();
  for (const [name, capacity] of Object.entries(device.capacity ?? {})) {
    const asked = wanted.get(qualified(name));
    wanted.delete(qualified(name));
    const amount = amountOf(asked, capacity);
    if (amount === undefined) return undefined;
    consumption.set(name, amount);
  }
  return wanted.size > 0 ? undefined : consumption;
}

/** Whether the device can give so much to one claim alone. */
export function isWithinCapacity(pooled: PoolDevice, taken: Consumption): boolean {
  return [...taken].every(([name, amount]) => {
    const { value } = pooled.device.capacity?.[name] ?? { value: '0' };
    return compareQuantities(amount, parseQuantity(value)) <= 0;
  });
}

function amountOf(
  asked: string | undefined,
  { value, requestPolicy }: DeviceCapacity,
): Quantity | undefined {
  if (asked === undefined) return parseQuantity(requestPolicy?.default ?? value);
  const wanted = parseQuantity(asked);
  if (requestPolicy === undefined) return wanted;
  const { validRange, validValues = [], default: usual } = requestPolicy;
  if (usual !== undefined && compareQuantities(wanted, parseQuantity(usual)) === 0) return wanted;
  if (validRange !== undefined) return withinRange(wanted, validRange);
  if (validValues.length === 0) return wanted;
  return validValues
    .map(parseQuantity)
    .toSorted(compareQuantities)
    .find((valid) => compareQuantities(valid, wanted) >= 0);
}

/** The least of `min`, `min + step`, … that suffices. */
function withinRange(wanted: Quantity, range: CapacityRequestPolicyRange): Quantity | undefined {
  const min = parseQuantity(range.min);
  const amount = compareQuantities(wanted, min) <= 0 ? min : stepUp(wanted, min, range.step);
  const isTooMuch =
    range.max !== undefined && compareQuantities(amount, parseQuantity(range.max)) > 0;
  return isTooMuch ? undefined : amount;
}

function stepUp(wanted: Quantity, min: Quantity, stepText: string | undefined): Quantity {
  if (stepText === undefined) return wanted;
  const step = parseQuantity(stepText);
  const size = scaledValue(step, quantityScale.nano);
  if (size <= 0n) return wanted;
  const gap = scaledValue(subtractQuantities(wanted, min), quantityScale.nano);
  return addQuantities(min, multiplyQuantity(step, (gap + size - 1n) / size));
}
