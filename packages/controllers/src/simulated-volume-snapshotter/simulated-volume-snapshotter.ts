// Takes snapshots of volumes of the simulated driver, and deletes them, as the snapshotter beside a
// CSI driver does: a snapshot without a disk is ready when it has a handle.

import { parseQuantity, quantityValue } from '@keelson/apimachinery';
import type { PersistentVolume } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { persistentVolumesResource } from '../machinery/resources.ts';
import { whenServed } from '../machinery/when-served.ts';
import { changeFinalizers } from '../volume-snapshot/snapshot-tools.ts';
import {
  beingDeleted,
  contentFinalizer,
  snapshotDefinitions,
  volumeSnapshotContentsResource,
  type VolumeSnapshotContent,
} from '../volume-snapshot/snapshot-types.ts';
import { volumeCapacity } from '../volumes/claim-sizes.ts';
import { simulatedDriver } from '../volumes/simulated-driver.ts';

const nanosecondsPerMs = 1_000_000n;

export function createSimulatedVolumeSnapshotter(context: ControllerContext): Controller {
  return whenServed(context, snapshotDefinitions, () => createServedSnapshotter(context));
}

function createServedSnapshotter(context: ControllerContext): Controller {
  const { client, informers, clock } = context;
  const contents = informers.informer<VolumeSnapshotContent>(volumeSnapshotContentsResource);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesResource);
  const resource = client.resource<VolumeSnapshotContent>(volumeSnapshotContentsResource);
  /** What the driver knows of it. */
  const taken = ({ spec }: VolumeSnapshotContent) => {
    const { snapshotHandle, volumeHandle } = spec.source;
    const readyToUse = true;
    if (snapshotHandle !== undefined) return { snapshotHandle, readyToUse };
    const volume = volumes.store
      .list()
      .find(({ spec: one }) => one?.csi?.volumeHandle === volumeHandle);
    return {
      snapshotHandle: `snapshot-${spec.volumeSnapshotRef.uid}`,
      readyToUse,
      creationTime: BigInt(Math.floor(clock.now())) * nanosecondsPerMs,
      restoreSize: quantityValue(parseQuantity(volume ? volumeCapacity(volume) : '0')),
    };
  };
  return createReconciler(context, {
    failure: 'simulated snapshot neither taken nor deleted',
    workers: 5,
    reads: [contents, volumes],
    subscribe: (queue) => {
      const enqueue = (content: VolumeSnapshotContent) => queue.add(keyOf(content));
      return [contents.addHandler({ onAdd: enqueue, onUpdate: enqueue })];
    },
    async reconcile(key, signal) {
      const content = contents.store.get('', parseKey(key).name);
      if (content?.spec.driver !== simulatedDriver) return;
      if (content.metadata.deletionTimestamp !== undefined) {
        if (mayGo(content))
          await changeFinalizers(resource, content, { remove: [contentFinalizer] });
      } else if (content.status?.readyToUse !== true) {
        const status = taken(content);
        await resource.update({ ...content, status }, { subresource: 'status', signal });
      }
    },
  });
}

/** Not while a snapshot needs it: that one has to be deleted itself. */
function mayGo({ metadata, spec }: VolumeSnapshotContent): boolean {
  const { uid = '' } = spec.volumeSnapshotRef;
  return uid === '' || metadata.annotations?.[beingDeleted] !== undefined;
}
