// From a volume to its claim: free, kept or bound; released when the claim is gone, and then kept
// or removed as its reclaim policy says.

import { isStatusError } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { persistentVolumeClaimsResource } from '../machinery/resources.ts';
import { setVolumePhase, tellClaim, tellVolume, type BinderTools } from './binder-tools.ts';
import { unbind } from './binding.ts';
import { hasSameVolumeMode } from './match-volume.ts';
import { markMigratedVolume } from './migration.ts';
import { reclaimVolume } from './reclaim-volume.ts';
import type { Recycler } from './recycle-volume.ts';
import { provisionedBy } from './volume-texts.ts';

export interface VolumeReconciling {
  readonly tools: BinderTools;
  readonly recycler: Recycler;
  /** Completes a binding that the volume's side began. */
  enqueueClaim(key: string): void;
}

export async function reconcileVolume(
  reconciling: VolumeReconciling,
  known: PersistentVolume,
): Promise<void> {
  const { tools, enqueueClaim } = reconciling;
  const volume = await markMigratedVolume(tools, known);
  const { claimRef } = volume.spec ?? {};
  if (claimRef === undefined || (claimRef.uid ?? '') === '') {
    await setVolumePhase(tools, volume, { phase: 'Available' });
    return;
  }
  const claim = await claimOf(tools, volume);
  if (claim === undefined) return release(reconciling, volume);
  const { volumeName = '' } = claim.spec ?? {};
  if (volumeName === volume.metadata.name) {
    await setVolumePhase(tools, volume, { phase: 'Bound' });
    return;
  }
  if (volumeName !== '') return letGo(reconciling, volume);
  if (!hasSameVolumeMode(volume, claim)) tellModes(tools, volume, claim);
  else enqueueClaim(`${claimRef.namespace}/${claimRef.name}`);
}

/** Asked of the server before a volume is given up: the cache may be behind. */
async function claimOf(
  { context, claims }: BinderTools,
  { spec }: PersistentVolume,
): Promise<PersistentVolumeClaim | undefined> {
  const { namespace = '', name = '', uid } = spec?.claimRef ?? {};
  const known = claims.store.get(namespace, name);
  if (known?.metadata.uid === uid) return known;
  try {
    const live = await context.client
      .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
      .namespace(namespace)
      .get(name);
    return live.metadata.uid === uid ? live : undefined;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function release({ tools, recycler }: VolumeReconciling, volume: PersistentVolume) {
  const isGivenUp = volume.status?.phase === 'Released' || volume.status?.phase === 'Failed';
  const released = isGivenUp ? volume : await setVolumePhase(tools, volume, { phase: 'Released' });
  await reclaimVolume(tools, released, recycler);
}

/** The claim has another volume. */
async function letGo(reconciling: VolumeReconciling, volume: PersistentVolume): Promise<void> {
  const isDynamic = volume.metadata.annotations?.[provisionedBy] !== undefined;
  if (isDynamic && volume.spec?.persistentVolumeReclaimPolicy === 'Delete')
    return release(reconciling, volume);
  return unbind(reconciling.tools, volume);
}

function tellModes(
  tools: BinderTools,
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): void {
  const [volumeName, claimName] = [volume, claim].map(({ metadata }) =>
    JSON.stringify(metadata.name),
  );
  const text = (from: string, to: string) =>
    ({
      type: 'Warning',
      reason: 'VolumeMismatch',
      message: `Cannot bind ${from} to requested ${to} due to incompatible volumeMode.`,
    }) as const;
  tellVolume(tools, volume, text('PersistentVolume', `PersistentVolumeClaim ${claimName}`));
  tellClaim(tools, claim, text(`PersistentVolume ${volumeName}`, 'PersistentVolumeClaim'));
}
