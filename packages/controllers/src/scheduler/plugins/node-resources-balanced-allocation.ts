// Prefers nodes on which the resources of the profile, cpu and memory, would be used up more alike
// than they are without the pod: what it gains or costs, from 50 to 100, and 75 where all stays.

import {
  defaultArguments,
  type PluginArguments,
} from '../configuration/scheduler-configuration.ts';
import { scoreMax, type SchedulerPlugin } from '../framework.ts';
import { amountOf } from '../snapshot/amounts.ts';
import type { NodeState } from '../snapshot/node-state.ts';

const name = 'NodeResourcesBalancedAllocation';
const half = scoreMax / 2;

export function createNodeResourcesBalancedAllocation(
  {
    resources,
  }: PluginArguments['NodeResourcesBalancedAllocation'] = defaultArguments.NodeResourcesBalancedAllocation,
): SchedulerPlugin {
  return {
    name,
    weight: 1,
    score({ requests }, nodes) {
      // A pod that asks for nothing balances nothing.
      if (resources.every((resource) => amountOf(requests, resource) === 0)) return undefined;
      const scores = new Float64Array(nodes.length);
      for (let i = 0; i < nodes.length; i++) {
        const { allocatable, requested } = nodes[i] as NodeState;
        const before: number[] = [];
        const after: number[] = [];
        for (const resource of resources) {
          const asked = amountOf(requests, resource);
          const capacity = amountOf(allocatable, resource);
          if (capacity === 0 || (asked === 0 && !isCounted(resource))) continue;
          const used = amountOf(requested, resource);
          before.push(Math.min(used / capacity, 1));
          after.push(Math.min((used + asked) / capacity, 1));
        }
        const gained = balanceOf(after) - balanceOf(before);
        scores[i] = half + Math.floor((half + gained) / 2);
      }
      return scores;
    },
    mayHelp: () => false,
  };
}

/** Of pods that do not ask for it, too. */
function isCounted(resource: string): boolean {
  return ['cpu', 'memory', 'ephemeral-storage'].includes(resource);
}

/** 100 where all are used alike. */
function balanceOf(shares: readonly number[]): number {
  return Math.floor((1 - deviationOf(shares)) * scoreMax);
}

function deviationOf(shares: readonly number[]): number {
  if (shares.length < 2) return 0;
  const [first = 0, second = 0] = shares;
  if (shares.length === 2) return Math.abs(first - second) / 2;
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const squares = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0);
  return Math.sqrt(squares / shares.length);
}
