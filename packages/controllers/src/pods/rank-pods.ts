// Which pods go first when there are too many: those that serve least. The order is that of
// https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset, with
// KEP-2185 for ages by magnitude and KEP-2255 for pod-deletion-cost.

import { isRestartableInitContainer } from '@keelson/apimachinery';
import type { ContainerStatus, Pod } from '@keelson/apimachinery/types/core.v1';
import { isPodReady, readySince } from './pod-state.ts';

const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const phases = ['Pending', 'Unknown', 'Running'];

export interface Ranking {
  /**
   * Active pods of the same workload: of two pods that one goes that shares its node with more of
   * them.
   */
  readonly related: readonly Pod[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The gate PodDeletionCost. */
  readonly countsCost: boolean;
}

/**
 * The same pods, those to delete first at the start. Ages count by their order of magnitude, so that
 * chance decides between pods of about the same age: whoever always removed the youngest would empty
 * the zone that was filled last.
 */
export function rankForDeletion(pods: readonly Pod[], ranking: Ranking): Pod[] {
  const { related, now, countsCost } = ranking;
  const perNode = Map.groupBy(related, (pod) => pod.spec.nodeName ?? '');
  const neighbours = ({ spec }: Pod) => perNode.get(spec.nodeName ?? '')?.length ?? 0;
  const magnitude = (time: number) => Math.floor(Math.log2(Math.max(1, (now - time) * 1e6)));
  const aboutYoungerFirst = (timeOf: TimeOf) =>
    byTime(timeOf, (a, b) => magnitude(a) - magnitude(b));
  return inOrderOf(pods, [
    ...byState,
    ...(countsCost ? [ascending(deletionCost)] : []),
    ascending((pod) => -neighbours(pod)),
    aboutYoungerFirst(readySince),
    ...byRestarts,
    aboutYoungerFirst(createdAt),
  ]);
}

/** As a Job's pods go: the youngest first, whatever they cost and whoever runs beside them. */
export function rankYoungestFirst(pods: readonly Pod[]): Pod[] {
  const youngerFirst = (timeOf: TimeOf) => byTime(timeOf, (a, b) => b - a);
  return inOrderOf(pods, [
    ...byState,
    youngerFirst(readySince),
    ...byRestarts,
    youngerFirst(createdAt),
  ]);
}

type Comparison = (a: Pod, b: Pod) => number;
/** Milliseconds since 1970. */
type TimeOf = (pod: Pod) => number | undefined;

function inOrderOf(pods: readonly Pod[], comparisons: readonly Comparison[]): Pod[] {
  return pods.toSorted((a, b) => {
    for (const compare of comparisons) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return byUid(a, b);
  });
}

function ascending(valueOf: (pod: Pod) => number): Comparison {
  return (a, b) => valueOf(a) - valueOf(b);
}

const byState: readonly Comparison[] = [
  ascending(({ spec }) => ((spec.nodeName ?? '') === '' ? 0 : 1)),
  ascending(({ status }) => phases.indexOf(status?.phase ?? '')),
  ascending((pod) => (isPodReady(pod) ? 1 : 0)),
];

/** What has no time comes first; of different times that count as the same the UID decides. */
function byTime(timeOf: TimeOf, compare: (a: number, b: number) => number): Comparison {
  return (a, b) => {
    const [atA, atB] = [timeOf(a), timeOf(b)];
    if (atA === atB) return 0;
    if (atA === undefined) return -1;
    if (atB === undefined) return 1;
    return compare(atA, atB) || byUid(a, b);
  };
}

function createdAt({ metadata }: Pod): number | undefined {
  const time = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(time) ? undefined : time;
}

const byUid: Comparison = (a, b) =>
  (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : a.metadata.uid === b.metadata.uid ? 0 : 1;

/** What is not a 32-bit integer counts as none: the API takes it in templates. */
function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[deletionCostAnnotation] ?? '0';
  const value = /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : 0;
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : 0;
}

/** Sidecars are asked when the containers restarted equally often. */
const byRestarts: readonly Comparison[] = [
  ascending(({ status }) => -mostRestarts(status?.containerStatuses)),
  ascending(({ spec, status }) => {
    const sidecars = new Set(
      spec.initContainers?.filter(isRestartableInitContainer).map(({ name }) => name),
    );
    return -mostRestarts(status?.initContainerStatuses?.filter(({ name }) => sidecars.has(name)));
  }),
];

function mostRestarts(statuses: readonly ContainerStatus[] = []): number {
  return Math.max(0, ...statuses.map(({ restartCount }) => restartCount));
}
