// The quality of service of a pod follows from its compute resources: `Guaranteed` when every
// container has equal requests and limits of cpu and memory, `BestEffort` when none has any of
// them.

import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  signOf,
  type Quantity,
} from '@keelson/apimachinery';
import type { Pod, ResourceRequirements } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

type Totals = Map<string, Quantity>;
const counted = ['cpu', 'memory'];

export function computeQosClass(pod: Pod, features: Features): QosClass {
  const { resources, containers, initContainers = [] } = pod.spec;
  const ofPod = resources && features.enabled('PodLevelResources') ? resources : undefined;
  const parts = ofPod
    ? [ofPod]
    : [...(containers ?? []), ...initContainers].map((c) => c.resources ?? {});
  return classify(parts);
}

/** The class that was decided when the pod was made. */
export function qosClassOf(pod: Pod, features: Features): string {
  return pod.status?.qosClass || computeQosClass(pod, features);
}

function classify(parts: readonly ResourceRequirements[]): QosClass {
  const requests: Totals = new Map();
  const limits: Totals = new Map();
  let isFullyLimited = true;
  for (const part of parts) {
    addTo(requests, part.requests);
    const limited = addTo(limits, part.limits);
    if (limited < counted.length) isFullyLimited = false;
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const isEqual = [...requests].every(([name, q]) => {
    const limit = limits.get(name);
    return limit !== undefined && compareQuantities(limit, q) === 0;
  });
  return isFullyLimited && isEqual && requests.size === limits.size ? 'Guaranteed' : 'Burstable';
}

/** Adds what counts and is not zero; gives how many that were. */
function addTo(total: Totals, list: Readonly<Record<string, string>> | undefined): number {
  let found = 0;
  for (const name of counted) {
    const text = list?.[name];
    const quantity = text === undefined ? undefined : parseQuantity(text);
    if (!quantity || signOf(quantity) <= 0) continue;
    const sum = total.get(name);
    total.set(name, sum ? addQuantities(sum, quantity) : quantity);
    found++;
  }
  return found;
}
