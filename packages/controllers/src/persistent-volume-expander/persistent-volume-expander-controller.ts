// Tells of bound claims that ask for more than they have who makes their volumes larger. No volume
// is of a kind that the controller manager could expand itself any more: all are left to the
// resizer of a driver. Of an in-tree volume whose driver has taken over, the claim is marked with
// that driver's name.

import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
} from '../machinery/resources.ts';
import { claimKind } from '../persistent-volume-binder/binder-tools.ts';
import { migratedTo } from '../persistent-volume-binder/in-tree-plugins.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { asksForMore, isBoundTo, requestedStorage } from '../volumes/claim-sizes.ts';

const storageResizer = 'volume.kubernetes.io/storage-resizer';

/** Fields of a volume's spec, and the plugins that looked after them in the tree. */
const inTreePlugins = {
  awsElasticBlockStore: 'kubernetes.io/aws-ebs',
  azureDisk: 'kubernetes.io/azure-disk',
  azureFile: 'kubernetes.io/azure-file',
  cinder: 'kubernetes.io/cinder',
  gcePersistentDisk: 'kubernetes.io/gce-pd',
  portworxVolume: 'kubernetes.io/portworx-volume',
  vsphereVolume: 'kubernetes.io/vsphere-volume',
} as const;
const fields = Object.keys(inTreePlugins) as (keyof typeof inTreePlugins)[];

export function createPersistentVolumeExpanderController(context: ControllerContext): Controller {
  const { client, informers } = context;
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesResource);
  const events = createControllerEvents(context, 'volume_expand');
  const mark = async (claim: PersistentVolumeClaim, driver: string, signal: AbortSignal) => {
    const { annotations = {}, namespace = '' } = claim.metadata;
    if (annotations[storageResizer] === driver) return;
    const metadata = {
      ...claim.metadata,
      annotations: { ...annotations, [storageResizer]: driver },
    };
    await client
      .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
      .namespace(namespace)
      .update({ ...claim, metadata }, { subresource: 'status', signal });
  };
  return createReconciler(context, {
    failure: 'claim not expanded',
    queue: 'volume_expand',
    workers: 10,
    reads: [claims, volumes],
    subscribe: (queue) => [
      claims.addHandler({
        onAdd: (claim) => queue.add(keyOf(claim)),
        onUpdate(claim, old) {
          // Who expands the volume writes of it into the claim, which is no news here.
          if (requestedStorage(claim) !== requestedStorage(old)) queue.add(keyOf(claim));
        },
      }),
    ],
    async reconcile(key, signal) {
      const { namespace, name } = parseKey(key);
      const claim = claims.store.get(namespace, name);
      const volume = volumes.store.get('', claim?.spec?.volumeName ?? '');
      if (claim === undefined || volume === undefined) return;
      if (!asksForMore(claim) || !isBoundTo(claim, volume)) return;
      const field = fields.find((one) => volume.spec?.[one] !== undefined);
      const plugin = field && inTreePlugins[field];
      const driver = plugin && migratedTo(plugin);
      if (driver !== undefined) await mark(claim, driver, signal);
      events.record(eventTarget(claimKind, claim), {
        type: 'Normal',
        reason: 'ExternalExpanding',
        message:
          plugin === undefined
            ? 'waiting for an external controller to expand this PVC'
            : `CSI migration enabled for ${plugin}; waiting for external resizer to expand the pvc`,
      });
    },
  });
}
