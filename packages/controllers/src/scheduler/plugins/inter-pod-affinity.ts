// Pods near which a pod must be, or must not be, and those that do not want it near them; by
// topology, as labels of nodes say. Preferences of both sides count for and against nodes.

import {
  defaultArguments,
  type PluginArguments,
} from '../configuration/scheduler-configuration.ts';
import { rejection, scoreMax, unresolvable, type SchedulerPlugin } from '../framework.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import { weightedTerms } from '../snapshot/affinity-terms.ts';
import type { ClusterEvent } from '../queue/cluster-event.ts';
import { hasSameLabels, type ClusterState } from '../snapshot/cluster-state.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import { summarizePod, type AffinityTerm, type PodSummary } from '../snapshot/pod-summary.ts';
import { countByTopology, type TopologyCount } from '../snapshot/topology-count.ts';

const name = 'InterPodAffinity';
const noAffinity = unresolvable(name, "node(s) didn't match pod affinity rules");
const hasAntiAffinity = rejection(name, "node(s) didn't match pod anti-affinity rules");
const existingObject = rejection(name, "node(s) didn't satisfy existing pods anti-affinity rules");

type MatchesTerm = (term: AffinityTerm, pod: PodSummary) => boolean;

export function createInterPodAffinity(
  { namespaceLabels }: Pick<ObjectLookup, 'namespaceLabels'>,
  args: PluginArguments['InterPodAffinity'] = defaultArguments.InterPodAffinity,
): SchedulerPlugin {
  const matches: MatchesTerm = ({ namespaces, namespaceSelector, selector }, pod) =>
    (namespaces.has(pod.namespace) || namespaceSelector.matches(namespaceLabels(pod.namespace))) &&
    selector.matches(pod.labels);
  return {
    name,
    weight: 2,
    begin: (pod, cluster) => begin(matches, pod, cluster),
    score: (pod, nodes, cluster) => score(matches, { pod, nodes, cluster, args }),
    mayHelp(pod, event) {
      switch (event.kind) {
        case 'any':
          return true;
        case 'node':
          return event.changed.has('labels');
        case 'placed-pod':
          return mayHelpNear(matches, pod, event);
        case 'pod-deleted': {
          const gone = summarizePod(event.pod);
          return (
            pod.antiAffinity.some((term) => matches(term, gone)) ||
            gone.antiAffinity.some((term) => matches(term, pod)) ||
            // The last one gone, a newcomer may be the first of its group somewhere else.
            (isWelcome(matches, pod, gone) && isWelcome(matches, pod, pod))
          );
        }
        case 'object':
          return event.resource === 'namespaces';
        default:
          return false;
      }
    },
  };
}

/** Somebody is there, or is called something else than before, that the pod wants near or far. */
function mayHelpNear(
  matches: MatchesTerm,
  pod: PodSummary,
  { pod: placed, old }: Extract<ClusterEvent, { kind: 'placed-pod' }>,
): boolean {
  const now = summarizePod(placed);
  if (old === undefined) return isWelcome(matches, pod, now);
  const before = summarizePod(old);
  if (hasSameLabels(before.labels, now.labels)) return false;
  const isAvoided = (other: PodSummary) => pod.antiAffinity.some((term) => matches(term, other));
  return (
    (isWelcome(matches, pod, now) && !isWelcome(matches, pod, before)) ||
    (isAvoided(before) && !isAvoided(now))
  );
}

/** It fulfils all that the pod requires of those near it. */
function isWelcome(matches: MatchesTerm, pod: PodSummary, other: PodSummary): boolean {
  return pod.affinity.length > 0 && pod.affinity.every((term) => matches(term, other));
}

function begin(matches: MatchesTerm, pod: PodSummary, cluster: ClusterState) {
  const existing: TopologyCount[] = [];
  for (const { term } of cluster.terms.antiAffinity()) {
    if (!matches(term, pod)) continue;
    const weigh = (other: PodSummary) =>
      other.antiAffinity.filter(({ key }) => key === term.key).length;
    const { topologyKey } = term;
    existing.push(countByTopology(cluster, { key: `has-anti ${term.key}`, topologyKey, weigh }));
  }
  const anti = pod.antiAffinity.map((term) => countMatching(matches, term, cluster));
  const allKey = pod.affinity.map(({ key }) => key).join(' ');
  const affinity = pod.affinity.map(({ topologyKey }) =>
    countByTopology(cluster, {
      key: `all ${topologyKey} ${allKey}`,
      topologyKey,
      weigh: (other) => (pod.affinity.every((term) => matches(term, other)) ? 1 : 0),
    }),
  );
  if (existing.length + anti.length + affinity.length === 0) return undefined;
  // The first pod of a group that wants to be together has nobody to be with.
  const isOwnGroup = pod.affinity.every((term) => matches(term, pod));
  const hasNobody = () => affinity.every(({ total }) => total === 0);
  const counts = [...existing, ...anti, ...affinity];
  return {
    filter(node: NodeState) {
      if (affinity.some(({ topologyKey }) => node.labels[topologyKey] === undefined))
        return noAffinity;
      if (affinity.some((count) => count.on(node) <= 0) && !(isOwnGroup && hasNobody()))
        return noAffinity;
      if (anti.some((count) => count.on(node) > 0)) return hasAntiAffinity;
      if (existing.some((count) => count.on(node) > 0)) return existingObject;
      return undefined;
    },
    addPod: (other: PodSummary, node: NodeState) => counts.forEach((c) => c.change(other, node, 1)),
    removePod: (other: PodSummary, node: NodeState) =>
      counts.forEach((c) => c.change(other, node, -1)),
  };
}

function countMatching(matches: MatchesTerm, term: AffinityTerm, cluster: ClusterState) {
  const { key, topologyKey } = term;
  const weigh = (other: PodSummary) => (matches(term, other) ? 1 : 0);
  return countByTopology(cluster, { key: `matches ${key}`, topologyKey, weigh });
}

interface Scoring {
  readonly pod: PodSummary;
  readonly nodes: readonly NodeState[];
  readonly cluster: ClusterState;
  readonly args: PluginArguments['InterPodAffinity'];
}

function score(
  matches: MatchesTerm,
  { pod, nodes, cluster, args }: Scoring,
): Float64Array | undefined {
  if (args.ignorePreferredTermsOfExistingPods && weightedTerms(pod).length === 0) return undefined;
  const counts: { readonly count: TopologyCount; readonly weight: number }[] = [];
  for (const { term, weight } of weightedTerms(pod))
    counts.push({ weight, count: countMatching(matches, term, cluster) });
  for (const { term, weight, key } of cluster.terms.preferred()) {
    if (!matches(term, pod)) continue;
    const weigh = (other: PodSummary) =>
      weightedTerms(other).filter((own) => own.weight === weight && own.term.key === term.key)
        .length;
    const { topologyKey } = term;
    counts.push({
      weight,
      count: countByTopology(cluster, { key: `prefers ${key}`, topologyKey, weigh }),
    });
  }
  for (const { term } of cluster.terms.affinity()) {
    if (!matches(term, pod)) continue;
    const weigh = (other: PodSummary) =>
      other.affinity.filter(({ key }) => key === term.key).length;
    const { topologyKey } = term;
    const count = countByTopology(cluster, { key: `has ${term.key}`, topologyKey, weigh });
    // What a required term of a placed pod is worth to a newcomer that fulfils it.
    counts.push({ weight: args.hardPodAffinityWeight, count });
  }
  if (counts.length === 0) return undefined;
  const scores = Float64Array.from(nodes, (node) =>
    counts.reduce((sum, { count, weight }) => sum + weight * count.on(node), 0),
  );
  let min = Infinity;
  let max = -Infinity;
  for (const value of scores) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (max === min) return undefined;
  // COMPAT: in this order, since it decides about the last digit.
  return scores.map((value) => Math.floor(scoreMax * ((value - min) / (max - min))));
}
