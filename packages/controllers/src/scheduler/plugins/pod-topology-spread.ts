// Pods of a group are spread over zones, nodes or other topologies: no value may have more than
// `maxSkew` pods more than the emptiest one. What is only wanted counts for nodes with fewer.
// Without constraints of its own a pod of a service or workload is spread over zones and nodes.

import { compileLabelSelector, type LabelMatcher } from '@keelson/apimachinery';
import type { Pod, TopologySpreadConstraint } from '@keelson/apimachinery/types/core.v1';
import { isTolerated } from '../../pods/tolerations.ts';
import {
  defaultArguments,
  type PluginArguments,
} from '../configuration/scheduler-configuration.ts';
import {
  rejection,
  scoreMax,
  unresolvable,
  type FilterRun,
  type SchedulerPlugin,
} from '../framework.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import type { ClusterEvent } from '../queue/cluster-event.ts';
import type { ClusterState } from '../snapshot/cluster-state.ts';
import type { NodePredicate } from '../snapshot/node-selector.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { countByTopology, type TopologyCount } from '../snapshot/topology-count.ts';
import { defaultSelector } from './default-selector.ts';
import { requiredNodes } from './node-affinity.ts';

const name = 'PodTopologySpread';
const mismatchText = "node(s) didn't match pod topology spread constraints";
const skewed = rejection(name, mismatchText);
const unlabelled = unresolvable(name, `${mismatchText} (missing required label)`);
const hostnameLabel = 'kubernetes.io/hostname';
const zoneLabel = 'topology.kubernetes.io/zone';

interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: LabelMatcher;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

export function createPodTopologySpread(
  lookup: Pick<ObjectLookup, 'services' | 'replicaSet' | 'replicationController' | 'statefulSet'>,
  args: PluginArguments['PodTopologySpread'] = defaultArguments.PodTopologySpread,
): SchedulerPlugin {
  const isSpread = ({ pod }: PodSummary) => (pod.spec.topologySpreadConstraints ?? []).length > 0;
  const constraintsFor = (pod: PodSummary, action: 'DoNotSchedule' | 'ScheduleAnyway') => {
    if (isSpread(pod)) return constraintsOf(pod, action);
    // The system's defaults are wishes; only what somebody configured keeps pods off nodes.
    if (args.defaultConstraints === undefined && action === 'DoNotSchedule') return [];
    return usualConstraints(args.defaultConstraints, action, defaultSelector(lookup, pod));
  };
  return {
    name,
    weight: 2,
    begin(pod, cluster) {
      const constraints = constraintsFor(pod, 'DoNotSchedule');
      return constraints.length === 0 ? undefined : begin(constraints, pod, cluster);
    },
    score(pod, nodes, cluster) {
      const constraints = constraintsFor(pod, 'ScheduleAnyway');
      if (constraints.length === 0) return undefined;
      const needsAllKeys = isSpread(pod) || args.defaultConstraints !== undefined;
      return score({ constraints, pod, nodes, cluster, needsAllKeys });
    },
    mayHelp: (pod, event) => mayHelp(() => constraintsFor(pod, 'DoNotSchedule'), pod, event),
  };
}

function mayHelp(
  constraintsOfPod: () => readonly Constraint[],
  pod: PodSummary,
  event: ClusterEvent,
): boolean {
  switch (event.kind) {
    case 'any':
    case 'node-deleted':
      return true;
    case 'node':
      return event.changed.has('labels') || event.changed.has('taints');
    case 'pod-deleted':
    case 'placed-pod': {
      if (event.pod.metadata.namespace !== pod.namespace) return false;
      const constraints = constraintsOfPod();
      const counts = ({ metadata: { labels, deletionTimestamp } }: Pod) =>
        deletionTimestamp === undefined || event.kind === 'pod-deleted'
          ? constraints.map(({ selector }) => selector.matches(labels))
          : constraints.map(() => false);
      const now = counts(event.pod);
      const before = 'old' in event && event.old !== undefined ? counts(event.old) : undefined;
      return before === undefined ? now.includes(true) : now.some((is, i) => is !== before[i]);
    }
    default:
      return false;
  }
}

function constraintsOf({ pod, labels }: PodSummary, action: string): Constraint[] {
  return (pod.spec.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
    .map((constraint) => ({
      ...toConstraint(constraint),
      selector: selectorOf(constraint, labels),
    }));
}

function toConstraint(constraint: TopologySpreadConstraint): Omit<Constraint, 'selector'> {
  return {
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    honorsAffinity: (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
  };
}

/** With the pod's own values of `matchLabelKeys`, unless the server has merged them in. */
function selectorOf(
  { labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint,
  labels: Readonly<Record<string, string>>,
): LabelMatcher {
  const more = matchLabelKeys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }];
  });
  if (labelSelector === undefined || more.length === 0) return compileLabelSelector(labelSelector);
  const { matchExpressions = [] } = labelSelector;
  return compileLabelSelector({
    ...labelSelector,
    matchExpressions: [...matchExpressions, ...more],
  });
}

/** Those of the configuration, or the system's, for pods that belong together. */
function usualConstraints(
  configured: readonly TopologySpreadConstraint[] | undefined,
  action: string,
  selector: LabelMatcher,
): Constraint[] {
  if (selector.isEmpty) return [];
  if (configured === undefined) return systemConstraints(selector);
  return configured
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
    .map((constraint) => ({ ...toConstraint(constraint), selector }));
}

/** COMPAT: kube-scheduler's system defaults. */
function systemConstraints(selector: LabelMatcher): Constraint[] {
  const constraint = (topologyKey: string, maxSkew: number): Constraint => ({
    topologyKey,
    maxSkew,
    minDomains: 1,
    selector,
    honorsAffinity: true,
    honorsTaints: false,
  });
  return [constraint(hostnameLabel, 3), constraint(zoneLabel, 5)];
}

/** Pods that are going do not count any more. */
function countPods(
  { selector, topologyKey }: Constraint,
  namespace: string,
  cluster: ClusterState,
) {
  return countByTopology(cluster, {
    key: JSON.stringify([
      'spread',
      namespace,
      topologyKey,
      selector.toString(),
      selector.requirements === undefined,
    ]),
    topologyKey,
    weigh: (other) =>
      other.namespace === namespace &&
      other.pod.metadata.deletionTimestamp === undefined &&
      selector.matches(other.labels)
        ? 1
        : 0,
  });
}

interface Domains {
  of(value: string): number;
  min(): number;
  change(pod: PodSummary, node: NodeState, sign: 1 | -1): void;
}

function begin(
  constraints: readonly Constraint[],
  pod: PodSummary,
  cluster: ClusterState,
): FilterRun {
  const checks = constraints.map((constraint) => ({
    ...constraint,
    self: constraint.selector.matches(pod.labels) ? 1 : 0,
    domains: domainsOf(constraint, constraints, { pod, cluster }),
  }));
  return {
    filter(node) {
      for (const { topologyKey, maxSkew, self, domains } of checks) {
        const value = node.labels[topologyKey];
        if (value === undefined) return unlabelled;
        if (domains.of(value) + self - domains.min() > maxSkew) return skewed;
      }
      return undefined;
    },
    addPod: (other, node) => checks.forEach(({ domains }) => domains.change(other, node, 1)),
    removePod: (other, node) => checks.forEach(({ domains }) => domains.change(other, node, -1)),
  };
}

function domainsOf(
  constraint: Constraint,
  all: readonly Constraint[],
  { pod, cluster }: { pod: PodSummary; cluster: ClusterState },
): Domains {
  const { topologyKey, minDomains } = constraint;
  const count = countPods(constraint, pod.namespace, cluster);
  const isIncluded = inclusionOf(constraint, pod);
  const values = cluster.valuesOf(topologyKey);
  const isSimple = isIncluded === undefined && (all.length === 1 || haveAllKeys(all, cluster));
  const included = isSimple
    ? undefined
    : countIncluded({ constraint, all, isIncluded }, pod.namespace, cluster);
  const extra = new Map<string, number>();
  let min: number | undefined;
  const of = (value: string) =>
    included === undefined ? count.of(value) : (included.get(value) ?? 0) + (extra.get(value) ?? 0);
  const leastOf = () => {
    const domains = included ?? values;
    if (domains.size < minDomains) return 0;
    let least = Infinity;
    for (const value of domains.keys()) {
      least = Math.min(least, of(value));
      if (least <= 0) return 0;
    }
    return least === Infinity ? 0 : least;
  };
  return {
    of,
    min: () => (min ??= leastOf()),
    change(other, node, sign) {
      min = undefined;
      if (included === undefined) return count.change(other, node, sign);
      const value = node.labels[topologyKey];
      if (value === undefined || isIncluded?.(node) === false) return;
      const counts = constraint.selector.matches(other.labels) && other.namespace === pod.namespace;
      if (counts && other.pod.metadata.deletionTimestamp === undefined)
        extra.set(value, (extra.get(value) ?? 0) + sign);
    },
  };
}

/** Every node is in a domain of each constraint. */
function haveAllKeys(constraints: readonly Constraint[], cluster: ClusterState): boolean {
  return constraints.every(
    ({ topologyKey }) => sumOf(cluster.valuesOf(topologyKey)) === cluster.nodes.length,
  );
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

/** Which nodes count, by the policies of the constraint; undefined when all do. */
function inclusionOf(
  { honorsAffinity, honorsTaints }: Constraint,
  { pod }: PodSummary,
): ((node: NodeState) => boolean) | undefined {
  const matches: NodePredicate | undefined = honorsAffinity ? requiredNodes(pod) : undefined;
  if (matches === undefined && !honorsTaints) return undefined;
  const tolerations = pod.spec.tolerations ?? [];
  return (node) =>
    (matches === undefined || matches(node)) &&
    (!honorsTaints || node.hardTaints.every((taint) => isTolerated(taint, tolerations)));
}

/** Pods by value, over nodes that have all keys and count. */
function countIncluded(
  {
    constraint,
    all,
    isIncluded,
  }: {
    readonly constraint: Constraint;
    readonly all: readonly Constraint[];
    readonly isIncluded: ((node: NodeState) => boolean) | undefined;
  },
  namespace: string,
  cluster: ClusterState,
): Map<string, number> {
  const byNode = countPods(
    { ...constraint, topologyKey: constraint.topologyKey },
    namespace,
    cluster,
  ).byNode;
  const counts = new Map<string, number>();
  for (const node of cluster.nodes) {
    if (all.some(({ topologyKey }) => node.labels[topologyKey] === undefined)) continue;
    if (isIncluded?.(node) === false) continue;
    const value = node.labels[constraint.topologyKey] ?? '';
    counts.set(value, (counts.get(value) ?? 0) + byNode(node.name));
  }
  return counts;
}

interface Scoring {
  readonly constraints: readonly Constraint[];
  readonly pod: PodSummary;
  readonly nodes: readonly NodeState[];
  readonly cluster: ClusterState;
  readonly needsAllKeys: boolean;
}

function score({ constraints, pod, nodes, cluster, needsAllKeys }: Scoring): Float64Array {
  const isWhole = !needsAllKeys || haveAllKeys(constraints, cluster);
  const hasKeys = (node: NodeState) =>
    isWhole || constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined);
  const isIgnored = nodes.map((node) => !hasKeys(node));
  const counted = nodes.filter((_, i) => isIgnored[i] !== true);
  const parts = constraints.map((constraint) => {
    const { topologyKey, maxSkew } = constraint;
    const count = scoredCount(constraint, { pod, cluster, hasKeys, isWhole });
    // COMPAT: nodes outside of any domain are in one together.
    const domains =
      topologyKey === hostnameLabel
        ? counted.length
        : new Set(counted.map(({ labels }) => labels[topologyKey] ?? '')).size;
    return { topologyKey, count, weight: Math.log(domains + 2), base: maxSkew - 1 };
  });
  const scores = Float64Array.from(nodes, (node, i) => {
    if (isIgnored[i] === true) return -1;
    let sum = 0;
    for (const { topologyKey, count, weight, base } of parts)
      if (node.labels[topologyKey] !== undefined) sum += count(node) * weight + base;
    return Math.round(sum);
  });
  let min = Infinity;
  let max = 0;
  for (const value of scores) {
    if (value < 0) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return scores.map((value) => {
    if (value < 0) return 0;
    return max === 0 ? scoreMax : Math.floor((scoreMax * (max + min - value)) / max);
  });
}

function scoredCount(
  constraint: Constraint,
  {
    pod,
    cluster,
    hasKeys,
    isWhole,
  }: {
    readonly pod: PodSummary;
    readonly cluster: ClusterState;
    readonly hasKeys: (node: NodeState) => boolean;
    readonly isWhole: boolean;
  },
): (node: NodeState) => number {
  const count: TopologyCount = countPods(constraint, pod.namespace, cluster);
  if (constraint.topologyKey === hostnameLabel) return (node) => count.byNode(node.name);
  const isIncluded = inclusionOf(constraint, pod);
  if (isIncluded === undefined && isWhole) return (node) => count.on(node);
  const counts = new Map<string, number>();
  for (const node of cluster.nodes) {
    const value = node.labels[constraint.topologyKey];
    if (value === undefined || !hasKeys(node) || isIncluded?.(node) === false) continue;
    counts.set(value, (counts.get(value) ?? 0) + count.byNode(node.name));
  }
  return (node) => counts.get(node.labels[constraint.topologyKey] ?? '') ?? 0;
}
