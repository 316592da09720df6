// A provisioner without disks: claims of a StorageClass that names it get a volume that exists as
// an object only, and what it made is removed when its claim is gone. It does what the external
// provisioner of a CSI driver does, so whatever needs volumes can be tried on simulated nodes.

import { isStatusError } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { StorageClass, VolumeAttachment } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Informer, ResourceClient } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
  storageClassesResource,
  volumeAttachmentsResource,
} from '../machinery/resources.ts';
import { claimKind, volumeKind } from '../persistent-volume-binder/binder-tools.ts';
import { classOf } from '../persistent-volume-binder/match-volume.ts';
import {
  provisionedBy,
  selectedNode,
  storageProvisioner,
} from '../persistent-volume-binder/volume-texts.ts';
import { requeueLater, type ReconcileResult } from '../machinery/run-controller.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { judgeDataSource, type DataSourceTools } from './volume-source.ts';
import { attachmentsOf, indexByVolume, volumeNameOf } from '../volumes/attachments.ts';
import { volumeCapacity } from '../volumes/claim-sizes.ts';
import { maximumSize, simulatedDriver, tooLarge } from '../volumes/simulated-driver.ts';

interface Tools extends DataSourceTools {
  readonly resource: ResourceClient<PersistentVolume>;
  readonly volumes: Informer<PersistentVolume>;
  readonly classes: Informer<StorageClass>;
  readonly attachments: Informer<VolumeAttachment>;
  readonly events: EventRecorder;
}

export function createSimulatedVolumeProvisioner(context: ControllerContext): Controller {
  const { client, informers } = context;
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesResource);
  const classes = informers.informer<StorageClass>(storageClassesResource);
  const attachments = informers.informer<VolumeAttachment>(volumeAttachmentsResource);
  indexByVolume(attachments);
  const events = createControllerEvents(context, simulatedDriver);
  const resource = client.resource<PersistentVolume>(persistentVolumesResource);
  const tools: Tools = { client, claims, resource, volumes, classes, attachments, events };
  return createReconciler(context, {
    failure: 'simulated volume not reconciled',
    queue: 'simulated_volume_provisioner',
    workers: 5,
    reads: [claims, volumes, classes, attachments],
    subscribe: (queue) => {
      const enqueueClaim = (claim: PersistentVolumeClaim) => queue.add(keyOf(claim));
      const enqueueVolume = (volume: PersistentVolume) => queue.add(keyOf(volume));
      return [
        claims.addHandler({ onAdd: enqueueClaim, onUpdate: enqueueClaim }),
        volumes.addHandler({ onAdd: enqueueVolume, onUpdate: enqueueVolume }),
        attachments.addHandler({ onDelete: (one) => queue.add(volumeNameOf(one)) }),
      ];
    },
    // Volumes are in no namespace, claims always are.
    async reconcile(key, signal) {
      const { namespace, name } = parseKey(key);
      const claim = namespace === '' ? undefined : claims.store.get(namespace, name);
      const volume = namespace === '' ? volumes.store.get('', name) : undefined;
      if (volume !== undefined) await remove(tools, volume, signal);
      return claim && provision(tools, claim, signal);
    },
  });
}

async function provision(
  tools: Tools,
  claim: PersistentVolumeClaim,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { resource, volumes, classes, events } = tools;
  const storageClass = classes.store.get('', classOf(claim));
  if (storageClass === undefined || !isWanted(claim, storageClass)) return undefined;
  const volume = volumeFor(claim, storageClass);
  const name = volume.metadata.name ?? '';
  if (volumes.store.get('', name) !== undefined) return undefined;
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    events.record(eventTarget(claimKind, claim), { type, reason, message });
  const source = await judgeDataSource(tools, claim);
  if (source.is === 'foreign') {
    tell('Normal', 'Provisioning', 'Assuming an external populator will provision the volume');
    return undefined;
  }
  const problem = source.is === 'refused' ? source.why : problemOfSize(volume);
  if (problem !== undefined) {
    const what = `failed to provision volume with StorageClass ${JSON.stringify(storageClass.metadata.name)}`;
    tell('Warning', 'ProvisioningFailed', `${what}: ${problem}`);
    // What is in the way may go: a snapshot becomes ready, a content is annotated.
    return requeueLater;
  }
  try {
    await resource.create(volume, { signal });
  } catch (error) {
    if (isStatusError(error, 'AlreadyExists')) return undefined;
    throw error;
  }
  tell('Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`);
  return undefined;
}

function problemOfSize(volume: PersistentVolume): string | undefined {
  const most = volume.spec?.csi?.volumeAttributes?.[maximumSize];
  return most === undefined ? undefined : tooLarge(volumeCapacity(volume), most);
}

/** Whose claim is gone, when no node has it any more. */
async function remove(
  { resource, attachments, events }: Tools,
  volume: PersistentVolume,
  signal: AbortSignal,
): Promise<void> {
  const { metadata, spec, status } = volume;
  const { name = '', uid = '', annotations, deletionTimestamp } = metadata;
  const isDone =
    annotations?.[provisionedBy] === simulatedDriver &&
    spec?.persistentVolumeReclaimPolicy === 'Delete' &&
    status?.phase === 'Released' &&
    deletionTimestamp === undefined;
  if (!isDone) return;
  const [attachment] = attachmentsOf(attachments, name);
  if (attachment !== undefined) {
    const message = `persistentvolume ${name} is still attached to node ${attachment.spec.nodeName}`;
    const reason = 'VolumeFailedDelete';
    events.record(eventTarget(volumeKind, volume), { type: 'Warning', reason, message });
    return;
  }
  try {
    await resource.delete(name, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
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
