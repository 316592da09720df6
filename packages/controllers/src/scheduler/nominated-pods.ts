// Pods for which others were asked to leave a node: until they are there, the room is theirs as far
// as less important pods are concerned.

import type { PodSummary } from './snapshot/pod-summary.ts';

export interface NominatedPods {
  put(pod: PodSummary, nodeName: string): void;
  remove(uid: string): void;
  nodeOf(uid: string): string | undefined;
  on(nodeName: string): readonly PodSummary[];
}

export function createNominatedPods(): NominatedPods {
  const byNode = new Map<string, Map<string, PodSummary>>();
  const places = new Map<string, string>();
  const remove = (uid: string) => {
    const nodeName = places.get(uid);
    if (nodeName === undefined) return;
    places.delete(uid);
    const pods = byNode.get(nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) byNode.delete(nodeName);
  };
  return {
    put(pod, nodeName) {
      remove(pod.uid);
      const pods = byNode.get(nodeName) ?? new Map<string, PodSummary>();
      pods.set(pod.uid, pod);
      byNode.set(nodeName, pods);
      places.set(pod.uid, nodeName);
    },
    remove,
    nodeOf: (uid) => places.get(uid),
    on: (nodeName) => [...(byNode.get(nodeName)?.values() ?? [])],
  };
}
