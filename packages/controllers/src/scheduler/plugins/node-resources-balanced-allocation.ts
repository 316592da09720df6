// Prefers nodes on which cpu and memory would be used up alike.

import { scoreMax, type SchedulerPlugin } from '../framework.ts';
import type { NodeState } from '../snapshot/node-state.ts';

const name = 'NodeResourcesBalancedAllocation';

export function createNodeResourcesBalancedAllocation(): SchedulerPlugin {
  return {
    name,
    weight: 1,
    score({ requests }, nodes) {
      const { milliCpu, memory } = requests;
      // A pod that asks for nothing balances nothing.
      if (milliCpu === 0 && memory === 0) return undefined;
      const scores = new Float64Array(nodes.length);
      for (let i = 0; i < nodes.length; i++) {
        const { allocatable, requested } = nodes[i] as NodeState;
        const cpu = usedShare(requested.milliCpu + milliCpu, allocatable.milliCpu);
        const ram = usedShare(requested.memory + memory, allocatable.memory);
        const deviation = cpu === undefined || ram === undefined ? 0 : Math.abs(cpu - ram) / 2;
        scores[i] = Math.floor((1 - deviation) * scoreMax);
      }
      return scores;
    },
    mayHelp: () => false,
  };
}

function usedShare(used: number, capacity: number): number | undefined {
  return capacity === 0 ? undefined : Math.min(used / capacity, 1);
}
