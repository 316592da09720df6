// How much a node is worth by what it would have in use: as little as possible, as much as possible,
// or by a shape over the share in use. COMPAT: the arithmetic of kube-scheduler, whole numbers.

import type { PluginArguments, ShapePoint } from '../configuration/scheduler-configuration.ts';
import { scoreMax } from '../framework.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';

type Strategy = PluginArguments['NodeResourcesFit']['scoringStrategy'];

export interface ResourceUse {
  readonly capacity: number;
  /** With the pod there. */
  readonly used: number;
}

/** Undefined: the pod does not ask for it, or the node does not have it. */
function resourceUse(resource: string, pod: PodSummary, node: NodeState): ResourceUse | undefined {
  const { allocatable, requested } = node;
  const use = (capacity: number, used: number) => (capacity > 0 ? { capacity, used } : undefined);
  switch (resource) {
    case 'cpu':
      return use(allocatable.milliCpu, node.nonZeroMilliCpu + pod.nonZeroMilliCpu);
    case 'memory':
      return use(allocatable.memory, node.nonZeroMemory + pod.nonZeroMemory);
    case 'ephemeral-storage': {
      const { ephemeralStorage: more } = pod.requests;
      return use(allocatable.ephemeralStorage, requested.ephemeralStorage + more);
    }
    default: {
      const more = pod.requests.scalars.get(resource) ?? 0;
      if (more === 0) return undefined;
      const before = requested.scalars.get(resource) ?? 0;
      return use(allocatable.scalars.get(resource) ?? 0, before + more);
    }
  }
}

export function createResourceScorer({
  type,
  resources,
  shape,
}: Strategy): (pod: PodSummary, node: NodeState) => number {
  const worthOf =
    type === 'LeastAllocated'
      ? leastAllocated
      : type === 'MostAllocated'
        ? mostAllocated
        : byShape(shape);
  const isShape = type === 'RequestedToCapacityRatio';
  return (pod, node) => {
    let sum = 0;
    let weights = 0;
    for (const { name, weight } of resources) {
      const use = resourceUse(name, pod, node);
      if (use === undefined) continue;
      const worth = worthOf(use);
      // By shape, resources that are worth nothing do not count at all.
      if (isShape && worth === 0) continue;
      sum += worth * weight;
      weights += weight;
    }
    if (weights === 0) return 0;
    return isShape ? Math.round(sum / weights) : Math.floor(sum / weights);
  };
}

function leastAllocated({ capacity, used }: ResourceUse): number {
  return used > capacity ? 0 : Math.floor(((capacity - used) * scoreMax) / capacity);
}

function mostAllocated({ capacity, used }: ResourceUse): number {
  return Math.floor((Math.min(used, capacity) * scoreMax) / capacity);
}

/** What a shape's score of ten is in a hundred. */
const shapeScale = 10;

/** Straight lines between the points, and the outermost scores beyond them. */
function byShape(shape: readonly ShapePoint[]): (use: ResourceUse) => number {
  const points = shape.map(({ utilization, score }) => ({
    at: utilization,
    score: score * shapeScale,
  }));
  return ({ capacity, used }) => {
    const share = used > capacity ? 100 : Math.floor((used * 100) / capacity);
    const next = points.findIndex(({ at }) => share <= at);
    const after = points[next];
    const before = points[next < 0 ? points.length - 1 : next - 1];
    if (after === undefined) return before?.score ?? 0;
    if (before === undefined) return after.score;
    const slope = ((after.score - before.score) * (share - before.at)) / (after.at - before.at);
    return before.score + Math.trunc(slope);
  };
}
