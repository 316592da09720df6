// A group of pods that are placed together (KEP-4671) stays while it has pods that have not ended.
// COMPAT: a group that lost its finalizer does not get it back.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { podGroupsResource, podsResource } from '../machinery/resources.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { createProtectionController, usersIn } from '../volume-protection/protection-controller.ts';

export function createPodGroupProtectionController(context: ControllerContext): Controller {
  const pods = context.informers.informer<Pod>(podsResource);
  return createProtectionController(context, {
    queue: 'podgroupprotection',
    resource: podGroupsResource,
    finalizer: 'scheduling.k8s.io/podgroup-protection',
    isGivenBack: false,
    isUsed: async ({ metadata: { namespace = '', name } }) =>
      pods.store.list(namespace).some((pod) => groupOf(pod) === name && !isPodFinished(pod)),
    users: [
      usersIn(pods, (pod) => {
        const group = groupOf(pod);
        return group === undefined ? [] : [`${pod.metadata.namespace}/${group}`];
      }),
    ],
  });
}

const groupOf = ({ spec }: Pod) => spec?.schedulingGroup?.podGroupName;
