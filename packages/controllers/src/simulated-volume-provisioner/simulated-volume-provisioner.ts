// A provisioner without disks: claims of a StorageClass that names it get a volume that exists as
// an object only, and what it made is removed when its claim is gone. It does what the external
// provisioner of a CSI driver does, so whatever needs volumes can be tried on simulated nodes.

import { isStatusError } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { StorageClass } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { createEventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
  storageClassesResource,
} from '../machinery/resources.ts';
import { claimKind } from '../persistent-volume-binder/binder-tools.ts';
import { classOf } from '../persistent-volume-binder/match-volume.ts';
import {
  provisionedBy,
  selectedNode,
  storageProvisioner,
} from '../persistent-volume-binder/volume-texts.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { maximumSize, simulatedDriver } from '../volumes/simulated-driver.ts';

export function createSimulatedVolumeProvisioner(context: ControllerContext): Controller {
  const { client, informers, clock, log } = context;
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesResource);
  const classes = informers.informer<StorageClass>(storageClassesResource);
  const resource = client.resource<PersistentVolume>(persistentVolumesResource);
  const events = createEventRecorder({
    client,
    clock,
    component: simulatedDriver,
    onError: (error) => log.warn('event not written', { error: errorText(error) }),
  });
  const provision = async (claim: PersistentVolumeClaim, signal: AbortSignal) => {
    const storageClass = classes.store.get('', classOf(claim));
    if (storageClass === undefined || !isWanted(claim, storageClass)) return;
    const volume = volumeFor(claim, storageClass);
    const name = volume.metadata.name ?? '';
    if (volumes.store.get('', name) !== undefined) return;
    try {
      await resource.create(volume, { signal });
    } catch (error) {
      if (isStatusError(error, 'AlreadyExists')) return;
      throw error;
    }
    events.record(eventTarget(claimKind, claim), {
      type: 'Normal',
      reason: 'ProvisioningSucceeded',
      message: `Successfully provisioned volume ${name}`,
    });
  };
  const remove = async ({ metadata, spec, status }: PersistentVolume, signal: AbortSignal) => {
    const { name = '', uid = '', annotations, deletionTimestamp } = metadata;
    const isDone =
      annotations?.[provisionedBy] === simulatedDriver &&
      spec?.persistentVolumeReclaimPolicy === 'Delete' &&
      status?.phase === 'Released' &&
      deletionTimestamp === undefined;
    if (!isDone) return;
    try {
      await resource.delete(name, { preconditions: { uid }, signal });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  };
  return createReconciler(context, {
    failure: 'simulated volume not reconciled',
    workers: 5,
    reads: [claims, volumes, classes],
    subscribe: (queue) => {
      const enqueueClaim = (claim: PersistentVolumeClaim) => queue.add(keyOf(claim));
      const enqueueVolume = (volume: PersistentVolume) => queue.add(keyOf(volume));
      return [
        claims.addHandler({ onAdd: enqueueClaim, onUpdate: enqueueClaim }),
        volumes.addHandler({ onAdd: enqueueVolume, onUpdate: enqueueVolume }),
      ];
    },
    // Volumes are in no namespace, claims always are.
    async reconcile(key, signal) {
      const { namespace, name } = parseKey(key);
      const claim = namespace === '' ? undefined : claims.store.get(namespace, name);
      const volume = namespace === '' ? volumes.store.get('', name) : undefined;
      if (claim !== undefined) await provision(claim, signal);
      if (volume !== undefined) await remove(volume, signal);
    },
  });
}

/** The binder has asked for it, and the scheduler has chosen a node where that comes first. */
function isWanted(
  { metadata, spec }: PersistentVolumeClaim,
  { volumeBindingMode }: StorageClass,
): boolean {
  const { annotations = {}, deletionTimestamp } = metadata;
  return (
    annotations[storageProvisioner] === simulatedDriver &&
    deletionTimestamp === undefined &&
    (spec?.volumeName ?? '') === '' &&
    (volumeBindingMode !== 'WaitForFirstConsumer' || annotations[selectedNode] !== undefined)
  );
}

function volumeFor(claim: PersistentVolumeClaim, storageClass: StorageClass): PersistentVolume {
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = claim.metadata;
  const { apiVersion, kind } = claimKind;
  const { accessModes = [], resources, volumeMode = 'Filesystem' } = claim.spec ?? {};
  const { reclaimPolicy = 'Delete', mountOptions, parameters } = storageClass;
  const most = parameters?.[maximumSize];
  const volumeName = `pvc-${uid}`;
  return {
    metadata: { name: volumeName, annotations: { [provisionedBy]: simulatedDriver } },
    spec: {
      capacity: { storage: resources?.requests?.['storage'] ?? '1Gi' },
      accessModes: [...accessModes],
      volumeMode,
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: storageClass.metadata.name ?? '',
      ...(mountOptions !== undefined && { mountOptions: [...mountOptions] }),
      claimRef: { apiVersion, kind, namespace, name, uid, resourceVersion },
      csi: {
        driver: simulatedDriver,
        volumeHandle: volumeName,
        ...(most !== undefined && { volumeAttributes: { [maximumSize]: most } }),
      },
    },
  };
}
