// Which claims a pod uses: those that it names, and those of its ephemeral volumes, which are named
// after the pod and the volume.

import type { Pod, Volume } from '@keelson/apimachinery/types/core.v1';

/** Undefined for a volume that has no claim. */
export function claimNameOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.ephemeral !== undefined) return `${pod.metadata.name}-${volume.name}`;
  return volume.persistentVolumeClaim?.claimName;
}

export function usesClaim(pod: Pod, claim: string): boolean {
  return (pod.spec?.volumes ?? []).some((volume) => claimNameOf(pod, volume) === claim);
}

/** `namespace/name` of the claims of a pod. */
export function claimKeysOf(pod: Pod): string[] {
  return (pod.spec?.volumes ?? [])
    .map((volume) => claimNameOf(pod, volume))
    .filter((name) => name !== undefined)
    .map((name) => `${pod.metadata.namespace}/${name}`);
}
