// What a pod asks of its node: of its containers the sum, of each init container with the sidecars
// before it, whichever is more; with the overhead of its runtime, or what it asks as a whole.

import { parseQuantity, quantityMilliValue } from '@keelson/apimachinery';
import type { Container, PodSpec, ResourceRequirements } from '@keelson/apimachinery/types/core.v1';

/** By resource, in thousandths. */
export type Amounts = ReadonlyMap<string, bigint>;

export function podRequests(
  spec: PodSpec,
  resourcesOf: (container: Container) => ResourceRequirements | undefined = ({ resources }) =>
    resources,
): Amounts {
  const requestsOf = (container: Container) => amountsOf(resourcesOf(container)?.requests);
  let running: Amounts = new Map();
  let most: Amounts = new Map();
  for (const init of spec.initContainers ?? []) {
    const own = requestsOf(init);
    if (init.restartPolicy === 'Always') running = sum(running, own);
    most = larger(most, init.restartPolicy === 'Always' ? running : sum(running, own));
  }
  for (const container of spec.containers ?? []) running = sum(running, requestsOf(container));
  const whole = new Map(larger(most, running));
  for (const [name, amount] of amountsOf(spec.resources?.requests)) whole.set(name, amount);
  return sum(whole, amountsOf(spec.overhead));
}

export function amountsOf(quantities: Readonly<Record<string, string>> = {}): Amounts {
  return new Map(
    Object.entries(quantities).map(([name, text]) => [
      name,
      quantityMilliValue(parseQuantity(String(text))),
    ]),
  );
}

export function sum(a: Amounts, b: Amounts): Amounts {
  return merge(a, b, (x, y) => x + y);
}
function larger(a: Amounts, b: Amounts): Amounts {
  return merge(a, b, (x, y) => (x > y ? x : y));
}

function merge(a: Amounts, b: Amounts, join: (x: bigint, y: bigint) => bigint): Amounts {
  const merged = new Map(a);
  for (const [name, amount] of b) merged.set(name, join(merged.get(name) ?? 0n, amount));
  return merged;
}
