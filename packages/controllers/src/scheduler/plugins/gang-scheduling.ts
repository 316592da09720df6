// Pods of a gang (KEP-4671) wait until their group is there, and as many pods of it as have to be
// scheduled at the same time. Pods of groups with another policy are as any other.

import type { SchedulerPlugin } from '../framework.ts';
import { groupNameOf, isInSameGroup, type PodGroupTracker } from '../gangs/pod-group-tracker.ts';

export function createGangScheduling(groups: PodGroupTracker): SchedulerPlugin {
  return {
    name: 'GangScheduling',
    preEnqueue({ pod, namespace }) {
      const groupName = groupNameOf(pod);
      if (groupName === undefined) return undefined;
      const group = groups.group(namespace, groupName);
      if (group === undefined)
        return `waiting for pods's pod group ${JSON.stringify(groupName)} to appear in scheduling queue`;
      const { minCount = 0 } = group.spec.schedulingPolicy.gang ?? {};
      return groups.members(namespace, groupName).length < minCount
        ? 'waiting for minCount pods from a gang to appear in scheduling queue'
        : undefined;
    },
    mayHelp({ pod, namespace }, event) {
      switch (event.kind) {
        case 'any':
          return true;
        case 'waiting-pod':
          return isInSameGroup(pod, event.pod);
        case 'placed-pod':
          return event.old === undefined && isInSameGroup(pod, event.pod);
        case 'object': {
          const { metadata } = event.object;
          const isOwn = metadata.namespace === namespace && metadata.name === groupNameOf(pod);
          return event.resource === 'podgroups' && isOwn && event.isDeletion !== true;
        }
        default:
          return false;
      }
    },
  };
}
