// Amounts of resources as numbers, for the arithmetic that is done for every node and pod: cpu in
// thousandths, all others in whole units. Numbers up to 2^53 are exact.

import {
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  type Quantity,
} from '@keelson/apimachinery';

export interface Amounts {
  milliCpu: number;
  memory: number;
  ephemeralStorage: number;
  /** Extended resources, huge pages and the like, by name. */
  readonly scalars: Map<string, number>;
}

export function createAmounts(): Amounts {
  return { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() };
}

export function amountsOf(list: Iterable<readonly [string, Quantity | string]>): Amounts {
  const amounts = createAmounts();
  for (const [name, value] of list) {
    const quantity = typeof value === 'string' ? parseQuantity(value) : value;
    if (name === 'cpu') amounts.milliCpu = Number(quantityMilliValue(quantity));
    else if (name === 'memory') amounts.memory = Number(quantityValue(quantity));
    else if (name === 'ephemeral-storage')
      amounts.ephemeralStorage = Number(quantityValue(quantity));
    else amounts.scalars.set(name, Number(quantityValue(quantity)));
  }
  return amounts;
}

export function amountOf(amounts: Amounts, resource: string): number {
  if (resource === 'cpu') return amounts.milliCpu;
  if (resource === 'memory') return amounts.memory;
  if (resource === 'ephemeral-storage') return amounts.ephemeralStorage;
  return amounts.scalars.get(resource) ?? 0;
}

export function addAmounts(sum: Amounts, more: Amounts, sign: 1 | -1): void {
  sum.milliCpu += sign * more.milliCpu;
  sum.memory += sign * more.memory;
  sum.ephemeralStorage += sign * more.ephemeralStorage;
  for (const [name, amount] of more.scalars) {
    const left = (sum.scalars.get(name) ?? 0) + sign * amount;
    if (left === 0) sum.scalars.delete(name);
    else sum.scalars.set(name, left);
  }
}

export function copyAmounts(amounts: Amounts): Amounts {
  return { ...amounts, scalars: new Map(amounts.scalars) };
}
