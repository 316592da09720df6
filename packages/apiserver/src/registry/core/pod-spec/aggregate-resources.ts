// What the containers of a pod take together: regular containers and sidecars run side by side,
// other init containers one after another before them (k8s.io/component-helpers/resource).

import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
} from '@keelson/apimachinery';
import type { Container, PodSpec } from '@keelson/apimachinery/types/core.v1';
import { isRestartableInitContainer } from './visit-containers.ts';

type Totals = Map<string, Quantity>;
type AmountField = 'requests' | 'limits';

/** Requests of all containers, as canonical quantities by resource. */
export function aggregateRequests(spec: PodSpec): Map<string, string> {
  return aggregate(spec, 'requests');
}
export function aggregateLimits(spec: PodSpec): Map<string, string> {
  return aggregate(spec, 'limits');
}

function aggregate(spec: PodSpec, field: AmountField): Map<string, string> {
  const total: Totals = new Map();
  for (const container of spec.containers ?? []) add(total, amounts(container, field));
  const sidecars: Totals = new Map();
  const initPeak: Totals = new Map();
  for (const container of spec.initContainers ?? []) {
    const own = amounts(container, field);
    if (isRestartableInitContainer(container)) {
      add(total, own);
      add(sidecars, own);
      raise(initPeak, sidecars);
    } else {
      const together: Totals = new Map(sidecars);
      add(together, own);
      raise(initPeak, together);
    }
  }
  raise(total, initPeak);
  return new Map([...total].map(([name, q]) => [name, formatQuantity(q)]));
}

function amounts(container: Container, field: AmountField): Totals {
  const list = Object.entries(container.resources?.[field] ?? {});
  return new Map(list.map(([name, text]) => [name, parseQuantity(text)]));
}

function add(total: Totals, more: Totals): void {
  for (const [name, q] of more) {
    const sum = total.get(name);
    total.set(name, sum === undefined ? q : addQuantities(sum, q));
  }
}

function raise(total: Totals, atLeast: Totals): void {
  for (const [name, q] of atLeast) {
    const own = total.get(name);
    if (own === undefined || compareQuantities(own, q) < 0) total.set(name, q);
  }
}
