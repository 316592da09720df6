// Defaults of pods beyond those of their specification.

import { compareQuantities, parseQuantity } from '@keelson/apimachinery';
import type { Pod, PodSpec } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { isHugePages, isOvercommitAllowed } from '../../validation/resource-names.ts';
import { aggregateLimits, aggregateRequests } from '../pod-spec/aggregate-resources.ts';
import {
  defaultHostPorts,
  defaultPodSpec,
  defaultRequests,
  dropInitContainerAnnotations,
} from '../pod-spec/defaults.ts';
import { syncPodIps } from './status-strategy.ts';

export function defaultPod(pod: Pod, features: Features): void {
  dropInitContainerAnnotations(pod.metadata.annotations);
  const { spec } = pod;
  defaultRequests(spec.containers);
  defaultRequests(spec.initContainers);
  if (features.enabled('PodLevelResources')) defaultPodResources(spec);
  spec.enableServiceLinks ??= true;
  defaultHostPorts(spec);
  defaultPodSpec(spec, features);
  syncPodIps(pod);
}

const isPodLevel = (name: string) => name === 'cpu' || name === 'memory' || isHugePages(name);
const isZero = (text: string) => compareQuantities(parseQuantity(text), parseQuantity('0')) === 0;

/** What the pod asks for as a whole follows from its containers, else from its own limits. */
function defaultPodResources(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources) return;
  const limits: Record<string, string> = { ...resources.limits };
  for (const [name, sum] of aggregateLimits(spec)) {
    const asked = resources.requests?.[name];
    if (isHugePages(name) && (asked === undefined || isZero(asked))) limits[name] ??= sum;
  }
  if (Object.keys(limits).length === 0) return;
  resources.limits = limits;
  const requests: Record<string, string> = { ...resources.requests };
  for (const [name, sum] of aggregateRequests(spec)) {
    if (isPodLevel(name) && isOvercommitAllowed(name)) requests[name] ??= sum;
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (isPodLevel(name)) requests[name] ??= limit;
  }
  if (Object.keys(requests).length > 0) resources.requests = requests;
}
