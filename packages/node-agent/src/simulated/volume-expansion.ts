// Makes file systems as large as their volumes, while a pod of the node has them mounted, and says
// so in the claim: the last step of an expansion, which is a kubelet's.

import { isStatusError, type JsonValue } from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import {
  isFileSystemResizePending,
  resizeFinished,
  volumeCapacity,
  type EventRecorder,
} from '@keelson/controllers';
import type { PodRecord } from './pod-record.ts';
import { boundVolumesOf, type BoundVolume, type StorageLookup } from './node-storage.ts';

export interface VolumeExpansionOptions {
  readonly nodeName: string;
  /** Acts as the node. */
  readonly client: Client;
  readonly storage: StorageLookup;
  readonly recorder: EventRecorder;
  readonly onError: (error: unknown) => void;
}

export interface VolumeExpansion {
  /** What the pod has mounted may be due. */
  look(record: PodRecord): void;
}

const claims = { group: '', version: 'v1', resource: 'persistentvolumeclaims' };

export function createVolumeExpansion(options: VolumeExpansionOptions): VolumeExpansion {
  const underWay = new Set<string>();
  const expand = async (record: PodRecord, bound: BoundVolume) => {
    const { uid = '' } = bound.claim.metadata;
    if (underWay.has(uid)) return;
    underWay.add(uid);
    try {
      await finish(options, record, bound);
    } catch (error) {
      // The claim has changed, or is gone: its next state says what is due then.
      const isStale = isStatusError(error, 'Conflict') || isStatusError(error, 'NotFound');
      if (!isStale) options.onError(error);
    } finally {
      underWay.delete(uid);
    }
  };
  return {
    look(record) {
      if (!record.isSetUp || record.finalPhase !== undefined) return;
      for (const bound of boundVolumesOf(record.pod, options.storage))
        if (isFileSystemResizePending(bound.claim)) void expand(record, bound);
    },
  };
}

async function finish(
  { nodeName, client, recorder }: VolumeExpansionOptions,
  { pod, uid }: PodRecord,
  { claim, volume }: BoundVolume,
): Promise<void> {
  const { namespace = '', name = '' } = claim.metadata;
  await client
    .resource<PersistentVolumeClaim>(claims)
    .namespace(namespace)
    .patch(name, 'merge', finishingPatch(claim, volumeCapacity(volume)), { subresource: 'status' });
  const volumeName = JSON.stringify(volume.metadata.name);
  const event = {
    type: 'Normal',
    reason: 'FileSystemResizeSuccessful',
    message: `MountVolume.NodeExpandVolume succeeded for volume ${volumeName} ${nodeName}`,
  } as const;
  const { name: podName = '' } = pod.metadata ?? {};
  const about = { apiVersion: 'v1', namespace };
  recorder.record({ ...about, kind: 'Pod', name: podName, uid }, event);
  const claimUid = claim.metadata.uid ?? '';
  recorder.record({ ...about, kind: 'PersistentVolumeClaim', name, uid: claimUid }, event);
}

function finishingPatch(claim: PersistentVolumeClaim, size: string): JsonValue {
  const { capacity, conditions, allocatedResourceStatuses } = resizeFinished(claim, size);
  const status = {
    capacity,
    conditions: conditions ?? null,
    allocatedResourceStatuses: allocatedResourceStatuses
      ? { ...allocatedResourceStatuses, storage: null }
      : null,
  };
  const { resourceVersion } = claim.metadata;
  return { metadata: { resourceVersion }, status } as unknown as JsonValue;
}
