// What a simulated node says of itself and its container runtime beyond what it has: how groups are
// treated, which mounts and user namespaces the runtime knows, and features that not every kubelet
// of the release need have (KEP-5328). A release without the field does not get it.

import type { NodeStatus } from '@keelson/apimachinery/types/core.v1';

export type NodeAbilities = Pick<NodeStatus, 'features' | 'runtimeHandlers' | 'declaredFeatures'>;

/** Declared when the gate of the same name is on, in order. */
const declaredGates = [
  'ExtendWebSocketsToKubelet',
  'InPlacePodLevelResourcesVerticalScaling',
  'InPlacePodVerticalScalingInitContainers',
  'RestartAllContainersOnContainerExits',
] as const;
/** Of every kubelet that gives no container a CPU of its own. */
const resizeOfGuaranteed = 'GuaranteedQoSPodCPUResize';

export function nodeAbilities(enabled: (gate: string) => boolean): NodeAbilities {
  const recursiveReadOnlyMounts = enabled('RecursiveReadOnlyMounts');
  const userNamespaces = enabled('UserNamespacesSupport');
  const handler = {
    name: '',
    features: {
      ...(recursiveReadOnlyMounts && { recursiveReadOnlyMounts }),
      ...(userNamespaces && { userNamespaces }),
    },
  };
  const declared = [resizeOfGuaranteed, ...declaredGates.filter(enabled)].toSorted();
  return {
    ...(enabled('SupplementalGroupsPolicy') && { features: { supplementalGroupsPolicy: true } }),
    ...((recursiveReadOnlyMounts || userNamespaces) && { runtimeHandlers: [handler] }),
    ...(enabled('NodeDeclaredFeatures') && { declaredFeatures: declared }),
  };
}
