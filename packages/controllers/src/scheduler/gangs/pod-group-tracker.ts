// Groups of pods that are scheduled together (KEP-4671): what each asks for, and who belongs to it.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { PodGroup } from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import type { Informers } from '@keelson/client';
import { podGroupsResource, podsResource } from '../../machinery/resources.ts';
import { isPodFinished } from '../../pods/pod-state.ts';

export interface PodGroupTracker {
  group(namespace: string, name: string): PodGroup | undefined;
  /** Those that have not ended, and have a node or wait for one here. */
  members(namespace: string, name: string): readonly Pod[];
}

const bySchedulingGroup = 'schedulingGroup';

/** `isOwn`: the pod is for this scheduler. */
export function createPodGroupTracker(informers: Informers, isOwn: (pod: Pod) => boolean) {
  const groups = informers.informer<PodGroup>(podGroupsResource);
  const pods = informers.informer<Pod>(podsResource);
  pods.addIndex(bySchedulingGroup, (pod) => [groupKeyOf(pod) ?? []].flat());
  const tracker: PodGroupTracker = {
    group: (namespace, name) => groups.store.get(namespace, name),
    members: (namespace, name) =>
      pods.store
        .byIndex(bySchedulingGroup, keyOf(namespace, name))
        .filter((pod) => !isPodFinished(pod) && ((pod.spec.nodeName ?? '') !== '' || isOwn(pod))),
  };
  return { tracker, informer: groups };
}

/** The group that a pod names. */
export function groupNameOf({ spec }: Pod): string | undefined {
  return spec.schedulingGroup?.podGroupName;
}

export function isInSameGroup(pod: Pod, other: Pod): boolean {
  const key = groupKeyOf(pod);
  return key !== undefined && key === groupKeyOf(other);
}

function groupKeyOf(pod: Pod): string | undefined {
  const name = groupNameOf(pod);
  return name === undefined ? undefined : keyOf(pod.metadata.namespace ?? '', name);
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
