// Empties volumes whose claim is gone and whose reclaim policy is Recycle: a pod on the volume
// removes everything in it, and afterwards it is free for another claim. Only volumes on a node's
// path and on NFS can be emptied; what is told of the pod is told of the volume.
//
// A pod is of this recycler if it made it: one of that name from before is removed first.

import { isStatusError } from '@keelson/apimachinery';
import type { Event, PersistentVolume, Pod } from '@keelson/apimachinery/types/core.v1';
import { errorText } from '../machinery/controller.ts';
import { eventsResource, podsResource } from '../machinery/resources.ts';
import { isPodTerminated } from '../pods/pod-state.ts';
import { usesClaim } from '../volumes/pod-claims.ts';
import { failVolume, tellVolume, type BinderTools } from './binder-tools.ts';
import { unbind } from './binding.ts';
import { recyclerNamespace, recyclerPod, recyclerPodName } from './recycler-pod.ts';

export interface Recycler {
  /** One step for a released volume; its pod's changes lead to the next. */
  recycle(volume: PersistentVolume): Promise<void>;
  /** The volume is gone. */
  abandon(volumeName: string): Promise<void>;
}

export function createRecycler(tools: BinderTools): Recycler {
  const pods = tools.context.client.resource<Pod>(podsResource).namespace(recyclerNamespace);
  /** By name of the volume: its pod's uid. */
  const running = new Map<string, string>();
  const relayEvents = createEventRelay(tools, running);

  const fail = (volume: PersistentVolume, why: string) =>
    failVolume(tools, volume, {
      reason: 'VolumeFailedRecycle',
      message: why,
    });
  const remove = async (name: string) => {
    try {
      await pods.delete(recyclerPodName(name));
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  };

  const begin = async (volume: PersistentVolume, pod: Pod) => {
    const { name = '' } = volume.metadata;
    relayEvents();
    try {
      running.set(name, (await pods.create(pod)).metadata.uid ?? '');
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists'))
        return fail(
          volume,
          `Recycle failed: unexpected error creating recycler pod:  ${errorText(error)}`,
        );
      await remove(name);
      return fail(volume, 'Recycle failed: old recycler pod found, will retry later');
    }
  };

  const follow = async (volume: PersistentVolume, uid: string) => {
    const { name = '' } = volume.metadata;
    const result = resultOf(await podOf(tools, name), uid);
    if (result === undefined) return;
    await remove(name);
    running.delete(name);
    if (result.problem !== undefined)
      return fail(volume, `Recycle failed: failed to recycle volume: ${result.problem}`);
    const text = { type: 'Normal', reason: 'VolumeRecycled', message: 'Volume recycled' } as const;
    tellVolume(tools, volume, text);
    await unbind(tools, volume);
  };

  return {
    async abandon(name) {
      if (running.has(name)) await remove(name);
      running.delete(name);
    },
    async recycle(volume) {
      const uid = running.get(volume.metadata.name ?? '');
      if (uid !== undefined) return follow(volume, uid);
      const users = usersOf(tools, volume);
      if (users.length > 0) {
        const message = `Volume is used by pods: ${users.join(',')}`;
        const reason = 'VolumeFailedRecycle';
        return tellVolume(tools, volume, { type: 'Normal', reason, message });
      }
      const pod = recyclerPod(volume);
      if (pod === undefined) return fail(volume, 'No recycler plugin found for the volume!');
      return begin(volume, pod);
    },
  };
}

/** Asked of the server when the cache has none: it may be behind. */
async function podOf({ context, pods }: BinderTools, volumeName: string): Promise<Pod | undefined> {
  const name = recyclerPodName(volumeName);
  const known = pods.store.get(recyclerNamespace, name);
  if (known !== undefined) return known;
  try {
    return await context.client.resource<Pod>(podsResource).namespace(recyclerNamespace).get(name);
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Undefined while the pod is at work. */
function resultOf(pod: Pod | undefined, uid: string): { readonly problem?: string } | undefined {
  if (pod?.metadata.uid !== uid) return { problem: 'recycler pod was deleted' };
  const { phase, message = '' } = pod.status ?? {};
  if (phase === 'Succeeded') return {};
  if (phase !== 'Failed') return undefined;
  return { problem: message === '' ? 'pod failed, pod.Status.Message unknown' : message };
}

/** A claim of that name is another one, with another volume, and then so are its pods. */
function usersOf({ claims, pods }: BinderTools, { spec }: PersistentVolume): readonly string[] {
  const { namespace = '', name = '' } = spec?.claimRef ?? {};
  if (claims.store.get(namespace, name) !== undefined) return [];
  return pods.store
    .list(namespace)
    .filter((pod) => usesClaim(pod, name) && !isPodTerminated(pod))
    .map(({ metadata }) => `${namespace}/${metadata.name}`)
    .toSorted();
}

/** Starts with the first pod: few clusters recycle anything. */
function createEventRelay(tools: BinderTools, running: ReadonlyMap<string, string>): () => void {
  let isRelaying = false;
  return () => {
    if (isRelaying) return;
    isRelaying = true;
    const events = tools.context.informers.informer<Event>(eventsResource, {
      namespace: recyclerNamespace,
      fieldSelector: 'involvedObject.kind=Pod',
    });
    events.addHandler({
      onAdd({ involvedObject, type, message = '' }) {
        for (const [name, uid] of running) {
          const volume = tools.volumes.store.get('', name);
          if (uid !== involvedObject.uid || volume === undefined) continue;
          tellVolume(tools, volume, {
            type: type === 'Warning' ? 'Warning' : 'Normal',
            reason: 'RecyclerPod',
            message: `Recycler pod: ${message}`,
          });
        }
      },
    });
  };
}
