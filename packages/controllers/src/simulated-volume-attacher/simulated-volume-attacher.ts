// Attaches volumes of the simulated driver as the external attacher of a CSI driver does. While an
// attachment or its volume cannot go, for there would be nobody to detach it, a finalizer keeps it.

import { formatTime, isStatusError, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import type { PersistentVolume } from '@keelson/apimachinery/types/core.v1';
import type { VolumeAttachment } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { ResourceClient } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf } from '../machinery/controller.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { persistentVolumesResource, volumeAttachmentsResource } from '../machinery/resources.ts';
import { attachmentsOf, indexByVolume, volumeNameOf } from '../volumes/attachments.ts';
import { simulatedDriver } from '../volumes/simulated-driver.ts';

const finalizer = `external-attacher/${simulatedDriver.replaceAll('.', '-')}`;
const attachmentKey = (name: string) => `attachment ${name}`;
const volumeKey = (name: string) => `volume ${name}`;

export function createSimulatedVolumeAttacher(context: ControllerContext): Controller {
  const { client, informers, clock } = context;
  const attachments = informers.informer<VolumeAttachment>(volumeAttachmentsResource);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesResource);
  indexByVolume(attachments);
  const attachmentClient = client.resource<VolumeAttachment>(volumeAttachmentsResource);
  const volumeClient = client.resource<PersistentVolume>(persistentVolumesResource);

  const attach = async (attachment: VolumeAttachment, signal: AbortSignal) => {
    const { name = '' } = attachment.metadata;
    const volumeName = volumeNameOf(attachment);
    const volume = volumes.store.get('', volumeName);
    const problem = problemOf(volume, volumeName);
    if (volume === undefined || problem !== undefined) {
      if (attachment.status?.attachError?.message === problem) return;
      const attachError = { message: problem, time: formatTime(clock.now()) };
      await patchStatus(attachmentClient, name, { attached: false, attachError }, signal);
      return;
    }
    await setFinalizer(volumeClient, volume, true, signal);
    await setFinalizer(attachmentClient, attachment, true, signal);
    await patchStatus(attachmentClient, name, { attached: true, attachError: null }, signal);
  };
  /** A volume that is to go may, when it is attached to no node any more. */
  const release = async (volume: PersistentVolume, signal: AbortSignal) => {
    const { name, deletionTimestamp } = volume.metadata;
    const isHeld = attachmentsOf(attachments, name ?? '').length > 0;
    if (deletionTimestamp !== undefined && !isHeld)
      await setFinalizer(volumeClient, volume, false, signal);
  };
  return createReconciler(context, {
    failure: 'simulated volume neither attached nor detached',
    queue: 'simulated_volume_attacher',
    workers: 10,
    reads: [attachments, volumes],
    subscribe: (queue) => {
      const enqueue = (attachment: VolumeAttachment) => queue.add(attachmentKey(keyOf(attachment)));
      const enqueueVolume = (volume: PersistentVolume) => {
        queue.add(volumeKey(keyOf(volume)));
        attachmentsOf(attachments, keyOf(volume)).forEach(enqueue);
      };
      return [
        attachments.addHandler({
          onAdd: enqueue,
          onUpdate: enqueue,
          onDelete: (attachment) => queue.add(volumeKey(volumeNameOf(attachment))),
        }),
        volumes.addHandler({ onAdd: enqueueVolume, onUpdate: enqueueVolume }),
      ];
    },
    async reconcile(key, signal) {
      const name = key.slice(key.indexOf(' ') + 1);
      if (key.startsWith('volume')) {
        const volume = volumes.store.get('', name);
        return volume && release(volume, signal);
      }
      const attachment = attachments.store.get('', name);
      if (attachment?.spec.attacher !== simulatedDriver) return;
      if (attachment.metadata.deletionTimestamp !== undefined)
        await setFinalizer(attachmentClient, attachment, false, signal);
      else if (attachment.status?.attached !== true) await attach(attachment, signal);
    },
  });
}

function problemOf(volume: PersistentVolume | undefined, name: string): string | undefined {
  if (volume === undefined) return `persistentvolume ${JSON.stringify(name)} not found`;
  if (volume.metadata.deletionTimestamp !== undefined)
    return `PersistentVolume ${JSON.stringify(name)} is marked for deletion`;
  if (volume.spec?.csi?.driver !== simulatedDriver)
    return `rpc error: code = NotFound desc = volume ${JSON.stringify(name)} is not of this driver`;
  return undefined;
}

async function patchStatus(
  attachments: ResourceClient<VolumeAttachment>,
  name: string,
  status: JsonValue,
  signal: AbortSignal,
): Promise<void> {
  await attachments.patch(name, 'merge', { status }, { subresource: 'status', signal });
}

/** Puts it on, or takes it off; does nothing when that is done. */
async function setFinalizer<T extends KubeObject>(
  resource: ResourceClient<T>,
  { metadata }: T,
  isKept: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { name = '', finalizers = [], resourceVersion = '' } = metadata;
  if (finalizers.includes(finalizer) === isKept) return;
  const others = finalizers.filter((one) => one !== finalizer);
  const next = isKept ? [...others, finalizer] : others;
  try {
    await resource.patch(
      name,
      'merge',
      { metadata: { finalizers: next, resourceVersion } },
      {
        signal,
      },
    );
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
