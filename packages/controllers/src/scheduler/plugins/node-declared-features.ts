// What pods need that not every kubelet can do (KEP-5328): nodes say in `status.declaredFeatures` what
// they can, and a pod goes only to those that declare all that it needs. Needed are
//
// - RestartAllContainersOnContainerExits, by a rule of a container that restarts all of them;
// - UserNamespacesHostNetworkSupport, by a user namespace of its own in the network of the host.

import type { PodSpec } from '@keelson/apimachinery/types/core.v1';
import { unresolvable, type SchedulerPlugin } from '../framework.ts';

const name = 'NodeDeclaredFeatures';
const cannot = unresolvable(name, "node(s) didn't match Pod's required features");

interface NodeFeature {
  readonly name: string;
  isNeeded(spec: PodSpec): boolean;
}

const nodeFeatures: readonly NodeFeature[] = [
  { name: 'RestartAllContainersOnContainerExits', isNeeded: restartsAll },
  {
    name: 'UserNamespacesHostNetworkSupport',
    isNeeded: ({ hostNetwork, hostUsers }) => hostNetwork === true && hostUsers === false,
  },
];

export function createNodeDeclaredFeatures(): SchedulerPlugin {
  return {
    name,
    begin({ pod }) {
      const needed = nodeFeatures.filter(({ isNeeded }) => isNeeded(pod.spec));
      if (needed.length === 0) return undefined;
      return {
        filter({ node }) {
          const declared = node.status?.declaredFeatures ?? [];
          return needed.every((feature) => declared.includes(feature.name)) ? undefined : cannot;
        },
      };
    },
    mayHelp(_pod, event) {
      if (event.kind !== 'node') return event.kind === 'any';
      return event.changed.has('declaredFeatures');
    },
  };
}

function restartsAll({ containers, initContainers }: PodSpec): boolean {
  return [...(containers ?? []), ...(initContainers ?? [])].some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  );
}
