// What the metrics read of a scheduler when somebody asks: how many pods wait where, why, and what it
// knows of the cluster.

import type { AttemptTools } from '../scheduling-attempt.ts';
import { schedulerNameOf } from '../scheduling-profile.ts';
import type { SchedulerState } from './scheduler-metrics.ts';

export function schedulerState({ queue, cluster }: AttemptTools): SchedulerState {
  return {
    pendingPods() {
      const { active, backoff, unschedulable, gated } = queue.sizes();
      return { active, backoff, unschedulable, gated };
    },
    unschedulablePods() {
      const counts = new Map<string, { plugin: string; profile: string; count: number }>();
      for (const { pod, rejectedBy } of queue.all()) {
        const profile = schedulerNameOf(pod.pod.spec);
        for (const plugin of rejectedBy) {
          const key = JSON.stringify([plugin, profile]);
          const known = counts.get(key) ?? { plugin, profile, count: 0 };
          counts.set(key, { ...known, count: known.count + 1 });
        }
      }
      return [...counts.values()].filter(({ plugin }) => plugin !== '');
    },
    cacheSize() {
      const pods = cluster.nodes.flatMap((node) => [...node.pods.keys()]);
      const assumed = pods.filter((uid) => cluster.isAssumed(uid)).length;
      return { nodes: cluster.nodes.length, pods: pods.length, assumed_pods: assumed };
    },
  };
}
