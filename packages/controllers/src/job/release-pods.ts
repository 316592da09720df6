// Takes the finalizer off pods. The cache shows a released pod with it for a while yet, and counting
// such a pod once more would be wrong, so it is remembered until the cache shows that it is gone.

import { isStatusError } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client, Informer } from '@keelson/client';
import { podsResource } from '../machinery/resources.ts';
import { hasTrackingFinalizer, trackingFinalizer } from './job-pods.ts';

export interface PodReleases {
  /** Resolves as well when the pod is gone or has no finalizer. */
  release(pod: Pod, signal: AbortSignal): Promise<void>;
  /** The finalizer is there as far as anybody knows. */
  isTracked(pod: Pod): boolean;
  /** Ends the subscription to the informer. */
  watch(): () => void;
}

export function createPodReleases(client: Client, pods: Informer<Pod>): PodReleases {
  /** By UID. */
  const released = new Set<string>();
  const uidOf = ({ metadata }: Pod) => metadata.uid ?? '';
  const isStillShown = (pod: Pod) => {
    const { namespace = '', name = '' } = pod.metadata;
    const known = pods.store.get(namespace, name);
    return known !== undefined && uidOf(known) === uidOf(pod) && hasTrackingFinalizer(known);
  };
  return {
    async release(pod, signal) {
      if (!hasTrackingFinalizer(pod)) return;
      const { namespace = '', name = '', uid = '' } = pod.metadata;
      const body = {
        metadata: { uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] },
      };
      try {
        const resource = client.resource<Pod>(podsResource).namespace(namespace);
        await resource.patch(name, 'strategic', body, { signal });
      } catch (error) {
        // Another pod of that name, or none: this one is gone, and its finalizer with it.
        const isGone = isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict');
        if (!isGone) throw error;
      }
      if (isStillShown(pod)) released.add(uid);
    },
    isTracked: (pod) => hasTrackingFinalizer(pod) && !released.has(uidOf(pod)),
    watch: () =>
      pods.addHandler({
        onUpdate: (pod) => {
          if (!hasTrackingFinalizer(pod)) released.delete(uidOf(pod));
        },
        onDelete: (pod) => void released.delete(uidOf(pod)),
      }),
  };
}
