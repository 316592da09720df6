// Explains pods of a running scheduler. Each explanation has a copy of what the scheduler believes the
// cluster to be, and plugins of its own, so that no decision ever sees what was only asked.

import type { SchedulingExplanation } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { SchedulingCore } from '../scheduling-core.ts';
import type { ClusterState } from '../snapshot/cluster-state.ts';
import { explainPod, podReference } from './explain-pod.ts';
import { createWhatIf } from './what-if.ts';

export interface SchedulingExplainerOptions {
  readonly cluster: ClusterState;
  /** A core with the same plugins and nothing in it. */
  readonly openCore: () => SchedulingCore;
  /** Whether this scheduler is the one that the pod names. */
  readonly isOwn: (pod: Pod) => boolean;
}

export async function explainScheduling(
  { cluster, openCore, isOwn }: SchedulingExplainerOptions,
  pod: Pod,
): Promise<SchedulingExplanation> {
  const { nodeName = '', schedulerName = '' } = pod.spec;
  const told = (outcome: SchedulingExplanation['outcome'], message: string) => ({
    kind: 'SchedulingExplanation' as const,
    apiVersion: 'keelson.dev/v1alpha1' as const,
    pod: podReference(pod),
    outcome,
    message,
    nodes: [],
    nodesLeftOut: 0,
    smallest: [],
  });
  if (nodeName !== '') return told('placed', `the pod is on node ${nodeName}`);
  if (!isOwn(pod)) return told('foreign', `the pod is for the scheduler ${schedulerName}`);
  return explainPod(pod, createWhatIf(openCore(), cluster, pod));
}
