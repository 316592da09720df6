// A node must have left what the pod requests. Among those that do, the emptier is better, or as the
// scoring strategy of the profile says.

import {
  defaultArguments,
  type PluginArguments,
} from '../configuration/scheduler-configuration.ts';
import type { Rejection, SchedulerPlugin } from '../framework.ts';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import { amountOf, amountsOf, type Amounts } from '../snapshot/amounts.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import { summarizePod, type PodSummary } from '../snapshot/pod-summary.ts';
import { createResourceScorer } from './resource-scoring.ts';

const name = 'NodeResourcesFit';

export interface NodeResourcesFitOptions {
  /** Extended resources that devices are allocated for, in place of the node's own. */
  readonly isFromDevices?: (resource: string, node: NodeState) => boolean;
  readonly args?: PluginArguments['NodeResourcesFit'];
}

export function createNodeResourcesFit(options: NodeResourcesFitOptions = {}): SchedulerPlugin {
  const { isFromDevices, args = defaultArguments.NodeResourcesFit } = options;
  const scoreOf = createResourceScorer(args.scoringStrategy);
  const isIgnored = (resource: string, node: NodeState) =>
    isFromDevices?.(resource, node) === true ||
    args.ignoredResources.includes(resource) ||
    args.ignoredResourceGroups.includes(resource.split('/')[0] ?? '');
  return {
    name,
    weight: 1,
    begin: ({ requests }) => ({
      filter: (node) => {
        const missing = insufficient(requests, node, isIgnored);
        return missing === undefined ? undefined : rejectionOf(missing);
      },
    }),
    score(pod, nodes) {
      const scores = new Float64Array(nodes.length);
      for (let i = 0; i < nodes.length; i++) scores[i] = scoreOf(pod, nodes[i] as NodeState);
      return scores;
    },
    mayHelp({ requests }, event) {
      if (event.kind === 'node') {
        if (!event.changed.has('allocatable')) return false;
        const now = amountsOfNode(event.node);
        if (podsMaxOf(now) < 1 || exceeding(requests, now).length > 0) return false;
        return event.old === undefined || hasGrown(amountsOfNode(event.old), now, requests);
      }
      if (event.kind === 'pod-deleted') return true;
      if (event.kind === 'placed-pod')
        return event.old !== undefined && hasShrunk(event.old, event.pod);
      return event.kind === 'any';
    },
  };
}

interface Missing {
  readonly reasons: string[];
  isUnresolvable: boolean;
}

function insufficient(
  requests: Amounts,
  node: NodeState,
  isIgnored: (resource: string, node: NodeState) => boolean,
): Missing | undefined {
  const { allocatable, requested } = node;
  let missing: Missing | undefined;
  const lacks = (reason: string, isUnresolvable: boolean) => {
    missing ??= { reasons: [], isUnresolvable: false };
    missing.reasons.push(reason);
    if (isUnresolvable) missing.isUnresolvable = true;
  };
  const check = (resource: string, wanted: number, has: number, used: number) => {
    if (wanted > 0 && wanted > has - used) lacks(`Insufficient ${resource}`, wanted > has);
  };
  if (node.pods.size + 1 > node.podsMax) lacks('Too many pods', false);
  check('cpu', requests.milliCpu, allocatable.milliCpu, requested.milliCpu);
  check('memory', requests.memory, allocatable.memory, requested.memory);
  const { ephemeralStorage } = requests;
  check(
    'ephemeral-storage',
    ephemeralStorage,
    allocatable.ephemeralStorage,
    requested.ephemeralStorage,
  );
  if (requests.scalars.size === 0) return missing;
  for (const [resource, wanted] of requests.scalars) {
    if (isIgnored(resource, node)) continue;
    check(
      resource,
      wanted,
      allocatable.scalars.get(resource) ?? 0,
      requested.scalars.get(resource) ?? 0,
    );
  }
  return missing;
}

/** The combinations are few, the nodes that give them many. */
const rejections = new Map<string, Rejection>();
const rejectionsMax = 1_024;

function rejectionOf({ reasons, isUnresolvable }: Missing): Rejection {
  const key = `${String(isUnresolvable)},${reasons.join()}`;
  let known = rejections.get(key);
  if (known === undefined) {
    known = { plugin: name, isUnresolvable, reasons };
    if (rejections.size >= rejectionsMax) rejections.clear();
    rejections.set(key, known);
  }
  return known;
}

/** Resources of which more is wanted than there can ever be. */
function exceeding(requests: Amounts, has: Amounts): string[] {
  const names: string[] = [];
  if (requests.milliCpu > has.milliCpu) names.push('cpu');
  if (requests.memory > has.memory) names.push('memory');
  if (requests.ephemeralStorage > has.ephemeralStorage) names.push('ephemeral-storage');
  for (const [resource, wanted] of requests.scalars)
    if (wanted > (has.scalars.get(resource) ?? 0)) names.push(resource);
  return names;
}

/** Asked for every pod that waits: read once. */
const nodeAmounts = new WeakMap<Node, Amounts>();

function amountsOfNode(node: Node): Amounts {
  const known = nodeAmounts.get(node);
  if (known !== undefined) return known;
  const { allocatable, capacity } = node.status ?? {};
  const amounts = amountsOf(Object.entries(allocatable ?? capacity ?? {}));
  nodeAmounts.set(node, amounts);
  return amounts;
}

function podsMaxOf({ scalars }: Amounts): number {
  return scalars.get('pods') ?? 0;
}

/** There is more of something that is requested, or room for more pods. */
function hasGrown(old: Amounts, now: Amounts, requests: Amounts): boolean {
  if (podsMaxOf(now) > podsMaxOf(old)) return true;
  const more = exceeding(now, old);
  const isWanted = (resource: string) => amountOf(requests, resource) > 0;
  return more.some(isWanted);
}

function hasShrunk(old: PodSummary['pod'], pod: PodSummary['pod']): boolean {
  return exceeding(summarizePod(old).requests, summarizePod(pod).requests).length > 0;
}
