// What the scheduler needs of a pod again and again, calculated once.

import {
  compileLabelSelector,
  noLabelMatcher,
  parseQuantity,
  podRequests,
  type LabelMatcher,
} from '@keelson/apimachinery';
import type {
  Container,
  Pod,
  PodAffinityTerm as ApiTerm,
  WeightedPodAffinityTerm,
} from '@keelson/apimachinery/types/core.v1';
import { amountsOf, type Amounts } from './amounts.ts';

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** Pods near which, or away from which, a pod is to be. */
export interface AffinityTerm {
  /** The same for terms that say the same. */
  readonly key: string;
  readonly topologyKey: string;
  readonly selector: LabelMatcher;
  readonly namespaces: ReadonlySet<string>;
  /** By labels of the namespace, in addition. */
  readonly namespaceSelector: LabelMatcher;
}
export interface WeightedTerm {
  readonly term: AffinityTerm;
  readonly weight: number;
}

export interface PodSummary {
  readonly pod: Pod;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly requests: Amounts;
  /** For spreading load: containers that ask for nothing count as if they needed a little. */
  readonly nonZeroMilliCpu: number;
  readonly nonZeroMemory: number;
  readonly hostPorts: readonly HostPort[];
  readonly affinity: readonly AffinityTerm[];
  readonly antiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly WeightedTerm[];
  readonly preferredAntiAffinity: readonly WeightedTerm[];
  /** Claims of volumes by name, those of ephemeral volumes included. */
  readonly claimNames: readonly string[];
}

/** For spreading load, of containers that do not say. */
const assumed = new Map([
  ['cpu', parseQuantity('100m')],
  ['memory', parseQuantity('200Mi')],
]);
const counted = { podLevel: true, status: true, overhead: true } as const;

/** Pods are not changed, but replaced: each is read once, however many ask about it. */
const summaries = new WeakMap<Pod, PodSummary>();

export function summarizePod(pod: Pod): PodSummary {
  const known = summaries.get(pod);
  if (known !== undefined) return known;
  const made = readPod(pod);
  summaries.set(pod, made);
  return made;
}

function readPod(pod: Pod): PodSummary {
  const { uid = '', namespace = '', name = '', labels = {} } = pod.metadata;
  const { priority = 0, affinity, volumes = [] } = pod.spec;
  const requests = amountsOf(podRequests(pod, counted));
  const nonZero = isSilent(pod) ? amountsOf(podRequests(pod, { ...counted, assumed })) : requests;
  const termOf = (term: ApiTerm) => affinityTerm(term, namespace, labels);
  const weighted = (terms: readonly WeightedPodAffinityTerm[] = []) =>
    terms.map(({ weight, podAffinityTerm }) => ({ weight, term: termOf(podAffinityTerm) }));
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  return {
    pod,
    uid,
    namespace,
    name,
    labels,
    priority,
    requests,
    nonZeroMilliCpu: nonZero.milliCpu,
    nonZeroMemory: nonZero.memory,
    hostPorts: hostPortsOf(pod),
    affinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(termOf),
    antiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(
      termOf,
    ),
    preferredAffinity: weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: weighted(
      podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
    ),
    claimNames: volumes.flatMap((volume) => {
      if (volume.ephemeral !== undefined) return [`${name}-${volume.name}`];
      return volume.persistentVolumeClaim?.claimName ?? [];
    }),
  };
}

/** Some container does not say how much it needs. */
function isSilent({ spec }: Pod): boolean {
  const isSaid = ({ resources }: Container) =>
    resources?.requests?.['cpu'] !== undefined && resources.requests['memory'] !== undefined;
  return ![...(spec.containers ?? []), ...(spec.initContainers ?? [])].every(isSaid);
}

function hostPortsOf({ spec }: Pod): HostPort[] {
  const containers = [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ];
  return containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort = 0, hostIP = '', protocol = 'TCP' }) =>
      hostPort > 0 ? [{ ip: hostIP === '' ? '0.0.0.0' : hostIP, protocol, port: hostPort }] : [],
    ),
  );
}

/** Terms of all pods of a workload say the same: they are compiled once. */
const knownTerms = new Map<string, AffinityTerm>();
const knownTermsMax = 4_096;

function affinityTerm(
  term: ApiTerm,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): AffinityTerm {
  const { topologyKey, labelSelector, namespaces = [], namespaceSelector } = term;
  const own = namespaces.length === 0 && namespaceSelector === undefined ? [namespace] : namespaces;
  const { matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  // The server has merged these keys into the selector; what remains is for objects from before.
  const merged = matchLabelKeys.length + mismatchLabelKeys.length;
  const key = JSON.stringify([
    topologyKey,
    labelSelector,
    own.toSorted(),
    namespaceSelector,
    merged && labels,
  ]);
  const known = knownTerms.get(key);
  if (known !== undefined) return known;
  const made: AffinityTerm = {
    key,
    topologyKey,
    selector: compileLabelSelector(labelSelector),
    namespaces: new Set(own),
    namespaceSelector:
      namespaceSelector === undefined ? noLabelMatcher : compileLabelSelector(namespaceSelector),
  };
  if (knownTerms.size >= knownTermsMax) knownTerms.clear();
  knownTerms.set(key, made);
  return made;
}
