// A pod with scheduling gates is not tried before the last one is gone (KEP-3521).

import type { SchedulerPlugin } from '../framework.ts';

export function createSchedulingGates(): SchedulerPlugin {
  return {
    name: 'SchedulingGates',
    preEnqueue({ pod }) {
      const gates = pod.spec.schedulingGates ?? [];
      if (gates.length === 0) return undefined;
      return `waiting for scheduling gates: [${gates.map(({ name }) => name).join(' ')}]`;
    },
    mayHelp: () => false,
  };
}
