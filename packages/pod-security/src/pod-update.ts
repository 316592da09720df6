// Which updates of a pod are looked at again. A pod that was admitted under another policy must
// stay editable, so only changes that bring in new containers or images count: the number of
// containers, the image at an index, an ephemeral container with a new name or image. Labels,
// tolerations, resources and deadlines do not.

import {
  containerSeccompAnnotationPrefix,
  podSeccompAnnotation,
} from './checks/seccomp-profile-baseline.ts';
import type { Container } from './pod.ts';
import type { PodObject } from './pod-templates.ts';

/** The last release in which seccomp annotations still changed what a pod may do. */
const seccompAnnotationsRelease = 26;

/** True when the update must satisfy the policy, as the given release judges it. */
export function isSignificantPodUpdate(pod: PodObject, old: PodObject, release: number): boolean {
  const readsAnnotations = release <= seccompAnnotationsRelease;
  if (readsAnnotations && annotationChanged(pod, old, podSeccompAnnotation)) return true;
  const isSignificant = (next: Container | null | undefined, previous: typeof next): boolean => {
    if ((next?.image ?? '') !== (previous?.image ?? '')) return true;
    const key = `${containerSeccompAnnotationPrefix}${next?.name ?? ''}`;
    return readsAnnotations && annotationChanged(pod, old, key);
  };
  for (const field of ['containers', 'initContainers'] as const) {
    const containers = pod.spec[field] ?? [];
    const oldContainers = old.spec[field] ?? [];
    if (containers.length !== oldContainers.length) return true;
    if (containers.some((container, i) => isSignificant(container, oldContainers[i]))) return true;
  }
  const oldEphemeral = old.spec.ephemeralContainers ?? [];
  return (pod.spec.ephemeralContainers ?? []).some((container) => {
    const previous = oldEphemeral.find((candidate) => candidate?.name === container?.name);
    return previous === undefined || isSignificant(container, previous);
  });
}

function annotationChanged(pod: PodObject, old: PodObject, key: string): boolean {
  const value = pod.metadata.annotations?.[key] ?? '';
  return value !== (old.metadata.annotations?.[key] ?? '');
}
