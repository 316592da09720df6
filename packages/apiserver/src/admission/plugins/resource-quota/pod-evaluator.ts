// Counts pods and what they request and may use.
//
// - `count/pods` counts every pod that is stored; everything else only pods that are alive: neither
//   Failed nor Succeeded, nor still there after their grace period for deletion.
// - `cpu` is `requests.cpu`, and so on; huge pages and extended resources are counted as
//   `requests.<resource>`.
// - Where CPU or memory is counted every container must say how much, unless the pod itself does.
//   COMPAT: an early mistake that is part of the API.
// - Counted at creation, resize, and when a pod moves between the scopes Terminating and
//   NotTerminating.

import {
  deviceClassPrefix,
  hasPodLevelResources,
  isBestEffort,
  isExtendedRequest,
  isNativeResource,
  podLimits,
  podRequests,
  addLists,
  oneQuantity as one,
  readResourceList,
  type ResourceList,
  type Clock,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Container, Pod, PodAffinityTerm } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import type { AdmissionAttributes } from '../../admission.ts';
import { asKind } from '../../request-match.ts';
import { objectCountName, type QuotaEvaluator, type QuotaScope } from './evaluator.ts';
import { matchesSelector } from './scopes.ts';

const countName = objectCountName('', 'pods');
const requestPrefix = 'requests.';
const hugePagesPrefix = 'hugepages-';
const compute = ['cpu', 'memory', 'ephemeral-storage'] as const;
const podNames: ReadonlySet<string> = new Set([
  countName,
  'pods',
  ...compute.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);
/** What containers must say when a quota counts it; no name is ever added. */
const requiredNames: ReadonlySet<string> = new Set(
  ['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
);

export function createPodEvaluator(features: Features, clock: Clock): QuotaEvaluator {
  const podLevel = features.enabled('PodLevelResources');
  const options = {
    podLevel,
    status: features.enabled('InPlacePodVerticalScaling'),
    overhead: true,
  };
  return {
    handles: isCounted,
    matchingNames: (names) => names.filter(isPodName),
    matchesScope: (scope, object) => isInScope(scope, asKind<Pod>(object), podLevel),
    missing: (names, object) => missingAmounts(names, asKind<Pod>(object), podLevel),
    usage(object: KubeObject) {
      const pod = asKind<Pod>(object);
      const stored = new Map([[countName, one]]);
      if (!isAlive(pod, clock.now())) return stored;
      const amounts = computeUsage(podRequests(pod, options), podLimits(pod, options));
      return addLists(stored, amounts);
    },
  };
}

/** `requests.example.com/gpu`: quota of an extended resource. */
export function isExtendedQuotaName(name: string): boolean {
  if (!name.startsWith(requestPrefix)) return false;
  return !isNativeResource(name) || name.startsWith(requestPrefix + deviceClassPrefix);
}

function isPodName(name: string): boolean {
  return (
    podNames.has(name) ||
    name.startsWith(hugePagesPrefix) ||
    name.startsWith(requestPrefix + hugePagesPrefix) ||
    isExtendedQuotaName(name)
  );
}

function isCounted(attributes: AdmissionAttributes): boolean {
  const { operation, subresource, object, oldObject } = attributes;
  if (subresource === 'resize') return operation === 'UPDATE';
  if (subresource !== '') return false;
  if (operation === 'CREATE') return true;
  if (operation !== 'UPDATE' || object === undefined || oldObject === undefined) return false;
  return isTerminating(asKind<Pod>(object)) !== isTerminating(asKind<Pod>(oldObject));
}

function computeUsage(requests: ResourceList, limits: ResourceList): ResourceList {
  const usage = new Map([['pods', one]]);
  for (const [name, amount] of requests) {
    if (compute.some((known) => known === name) || name.startsWith(hugePagesPrefix)) {
      usage.set(name, amount);
      usage.set(requestPrefix + name, amount);
    } else if (isExtendedRequest(name)) usage.set(requestPrefix + name, amount);
  }
  for (const name of compute) {
    const amount = limits.get(name);
    if (amount !== undefined) usage.set(`limits.${name}`, amount);
  }
  return usage;
}

function missingAmounts(names: readonly string[], pod: Pod, podLevel: boolean): string | undefined {
  if (podLevel && hasPodLevelResources(pod)) return undefined;
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
  const missing = [...new Set(names)]
    .filter((name) => requiredNames.has(name))
    .sort()
    .flatMap((name) => {
      const silent = containers.filter((c) => !usageOf(c).has(name)).map((c) => c.name);
      return silent.length === 0 ? [] : [`${name} for: ${[...new Set(silent)].sort().join(',')}`];
    });
  return missing.length === 0 ? undefined : `must specify ${missing.join('; ')}`;
}

function usageOf({ resources }: Container): ResourceList {
  return computeUsage(readResourceList(resources?.requests), readResourceList(resources?.limits));
}

function isAlive({ status, metadata }: Pod, nowMs: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return nowMs <= Date.parse(deletionTimestamp) + Number(deletionGracePeriodSeconds) * 1000;
}

function isInScope(scope: QuotaScope, pod: Pod, podLevel: boolean): boolean {
  switch (scope.scopeName) {
    case 'Terminating':
      return isTerminating(pod);
    case 'NotTerminating':
      return !isTerminating(pod);
    case 'BestEffort':
      return isBestEffort(pod, podLevel);
    case 'NotBestEffort':
      return !isBestEffort(pod, podLevel);
    case 'PriorityClass':
      return matchesSelector(scope, pod.spec.priorityClassName || undefined);
    case 'CrossNamespacePodAffinity':
      return usesOtherNamespaces(pod);
    default:
      return false;
  }
}

function isTerminating({ spec }: Pod): boolean {
  return spec.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0;
}

function usesOtherNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((affinity) => {
    const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const terms: PodAffinityTerm[] = [...required, ...preferred.map((p) => p.podAffinityTerm)];
    return terms.some((t) => (t.namespaces ?? []).length > 0 || t.namespaceSelector !== undefined);
  });
}
