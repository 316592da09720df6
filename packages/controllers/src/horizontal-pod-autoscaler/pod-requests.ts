// What pods request of a resource, in thousandths: all of the pod, or of one of its containers.

import { parseQuantity, quantityMilliValue } from '@keelson/apimachinery';
import type { Container, Pod } from '@keelson/apimachinery/types/core.v1';
import { MetricError } from './replica-calculator.ts';

/** By name of the pod. Throws MetricError when one of them says nothing. */
export function podRequests(
  pods: readonly Pod[],
  resource: string,
  container: string | undefined,
): ReadonlyMap<string, number> {
  return new Map(
    pods.map((pod) => [pod.metadata.name ?? '', requestOf(pod, resource, container)] as const),
  );
}

function requestOf(pod: Pod, resource: string, container: string | undefined): number {
  const { name = '' } = pod.metadata;
  const { containers, initContainers, resources } = pod.spec ?? {};
  const sidecars = (initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  const running = [...(containers ?? []), ...sidecars];
  if (container === undefined && Object.keys(resources?.requests ?? {}).length > 0) {
    const request = resources?.requests?.[resource];
    if (request !== undefined) return milli(request);
    throw new MetricError(`missing pod-level request for ${resource} in Pod ${name}`);
  }
  const counted =
    container === undefined ? running : running.filter((other) => other.name === container);
  if (counted.length === 0)
    throw new MetricError(`container ${container} not found in Pod ${name}`);
  const of = (one: Container) => {
    const request = one.resources?.requests?.[resource];
    if (request !== undefined) return milli(request);
    throw new MetricError(
      `missing request for ${resource} in container ${one.name} of Pod ${name}`,
    );
  };
  return counted.reduce((total, one) => total + of(one), 0);
}

export function milli(quantity: string): number {
  return Number(quantityMilliValue(parseQuantity(quantity)));
}
