// A snapshot that is to go: its content goes first where its policy is Delete, and stays where it is
// Retain; nothing goes while a claim is being made from it.

import { isStatusError } from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { contentNameOf } from './reconcile-snapshot.ts';
import {
  changeFinalizers,
  contentClient,
  snapshotClient,
  tellSnapshot,
  type SnapshotTools,
} from './snapshot-tools.ts';
import {
  beingDeleted,
  boundFinalizer,
  isBoundContent,
  sourceFinalizer,
  type VolumeSnapshot,
  type VolumeSnapshotContent,
} from './snapshot-types.ts';

export async function deleteSnapshot(
  tools: SnapshotTools,
  snapshot: VolumeSnapshot,
): Promise<void> {
  const name = snapshot.status?.boundVolumeSnapshotContentName ?? contentNameOf(snapshot);
  const found = tools.objects.contents.store.get('', name);
  const content = found !== undefined && isBoundContent(found, snapshot) ? found : undefined;
  if (content !== undefined && isBeingRestored(tools, snapshot)) {
    const message = 'Snapshot is being used to restore a PVC';
    tellSnapshot(tools, snapshot, { type: 'Warning', reason: 'SnapshotDeletePending', message });
    return;
  }
  const goesWithIt = content?.spec.deletionPolicy === 'Delete';
  if (content !== undefined) await markContent(tools, content);
  if (content !== undefined && goesWithIt) await deleteContent(tools, content);
  const remove = goesWithIt ? [sourceFinalizer] : [sourceFinalizer, boundFinalizer];
  await changeFinalizers(snapshotClient(tools, snapshot), snapshot, { remove });
}

/** The driver may delete what the content stands for. */
async function markContent(tools: SnapshotTools, content: VolumeSnapshotContent): Promise<void> {
  const { annotations, name = '' } = content.metadata;
  if (annotations?.[beingDeleted] === 'yes') return;
  await contentClient(tools).patch(name, 'merge', {
    metadata: { annotations: { [beingDeleted]: 'yes' } },
  });
}

async function deleteContent(tools: SnapshotTools, { metadata }: VolumeSnapshotContent) {
  const { name = '', uid = '', deletionTimestamp } = metadata;
  if (deletionTimestamp !== undefined) return;
  try {
    await contentClient(tools).delete(name, { preconditions: { uid } });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}

function isBeingRestored(
  { objects: { claims } }: SnapshotTools,
  { metadata: { namespace = '', name } }: VolumeSnapshot,
): boolean {
  return claims.store
    .list(namespace)
    .some((claim) => snapshotSourceOf(claim) === name && claim.status?.phase === 'Pending');
}

/** The snapshot that the claim is to be made from, by name. */
export function snapshotSourceOf({ spec }: PersistentVolumeClaim): string | undefined {
  const { kind, apiGroup, name } = spec?.dataSourceRef ?? spec?.dataSource ?? {};
  return kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io' ? name : undefined;
}
