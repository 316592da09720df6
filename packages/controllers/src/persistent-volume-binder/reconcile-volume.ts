// From a volume to its claim: free, kept or bound; released when the claim is gone, and then kept
// or removed as its reclaim policy says.

import { isStatusError } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
} from '../machinery/resources.ts';
import { setVolumePhase, tellClaim, tellVolume, type BinderTools } from './binder-tools.ts';
import { hasSameVolumeMode } from './match-volume.ts';
import { boundByController, provisionedBy } from './volume-texts.ts';

/** `enqueueClaim` completes a binding that the volume's side began. */
export async function reconcileVolume(
  tools: BinderTools,
  volume: PersistentVolume,
  enqueueClaim: (key: string) => void,
): Promise<void> {
  const { claimRef } = volume.spec ?? {};
  if (claimRef === undefined || (claimRef.uid ?? '') === '') {
    await setVolumePhase(tools, volume, { phase: 'Available' });
    return;
  }
  const claim = await claimOf(tools, volume);
  if (claim === undefined) return release(tools, volume);
  const { volumeName = '' } = claim.spec ?? {};
  if (volumeName === volume.metadata.name) {
    await setVolumePhase(tools, volume, { phase: 'Bound' });
    return;
  }
  if (volumeName !== '') return letGo(tools, volume);
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

async function release(tools: BinderTools, volume: PersistentVolume): Promise<void> {
  const isGivenUp = volume.status?.phase === 'Released' || volume.status?.phase === 'Failed';
  const released = isGivenUp ? volume : await setVolumePhase(tools, volume, { phase: 'Released' });
  if (released.metadata.deletionTimestamp !== undefined) return;
  const policy = released.spec?.persistentVolumeReclaimPolicy ?? 'Retain';
  if (policy === 'Recycle')
    return fail(tools, released, {
      reason: 'VolumeFailedRecycle',
      message: 'No recycler plugin found for the volume!',
    });
  if (policy !== 'Delete' || isForProvisioner(released)) return;
  const path = released.spec?.hostPath?.path;
  if (path !== undefined && /^\/tmp\/.+/.test(path)) return remove(tools, released);
  const message =
    path === undefined
      ? 'error getting deleter volume plugin for volume ' +
        `${JSON.stringify(released.metadata.name)}: no deletable volume plugin matched`
      : `host_path deleter only supports /tmp/.+ but received provided ${path}`;
  await fail(tools, released, { reason: 'VolumeFailedDelete', message });
}

/** Who made it removes it. */
function isForProvisioner({ metadata }: PersistentVolume): boolean {
  const provisioner = metadata.annotations?.[provisionedBy] ?? '';
  return provisioner !== '' && !provisioner.startsWith('kubernetes.io/');
}

async function fail(
  tools: BinderTools,
  volume: PersistentVolume,
  { reason, message }: { readonly reason: string; readonly message: string },
): Promise<void> {
  if (volume.status?.phase === 'Failed' && volume.status.message === message) return;
  await setVolumePhase(tools, volume, { phase: 'Failed', message });
  tellVolume(tools, volume, { type: 'Warning', reason, message });
}

async function remove({ context }: BinderTools, { metadata }: PersistentVolume): Promise<void> {
  const { name = '', uid = '' } = metadata;
  try {
    await context.client
      .resource(persistentVolumesResource)
      .delete(name, { preconditions: { uid } });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}

/** The claim has another volume. One that was kept for it by hand stays kept, by name only. */
async function letGo(tools: BinderTools, volume: PersistentVolume): Promise<void> {
  const { annotations = {} } = volume.metadata;
  const isDynamic = annotations[provisionedBy] !== undefined;
  if (isDynamic && volume.spec?.persistentVolumeReclaimPolicy === 'Delete')
    return release(tools, volume);
  const { claimRef, ...spec } = volume.spec ?? {};
  const { [boundByController]: mark, ...others } = annotations;
  const { uid: _, resourceVersion: __, ...byName } = claimRef ?? {};
  const freed = await tools.context.client
    .resource<PersistentVolume>(persistentVolumesResource)
    .update({
      ...volume,
      metadata: { ...volume.metadata, annotations: others },
      spec: mark === undefined ? { ...spec, claimRef: byName } : spec,
    });
  await setVolumePhase(tools, freed, { phase: 'Available' });
}

function tellModes(
  tools: BinderTools,
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): void {
  const { name: volumeName = '' } = volume.metadata;
  const claimName = JSON.stringify(claim.metadata.name ?? '');
  const end = `to requested PersistentVolumeClaim ${claimName} due to incompatible volumeMode.`;
  const text = { type: 'Warning', reason: 'VolumeMismatch' } as const;
  tellVolume(tools, volume, { ...text, message: `Cannot bind PersistentVolume ${end}` });
  const named = `Cannot bind PersistentVolume ${JSON.stringify(volumeName)} ${end}`;
  tellClaim(tools, claim, { ...text, message: named });
}
