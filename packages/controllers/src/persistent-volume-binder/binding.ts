// Binding a volume to a claim, which both sides have to say, and taking it back.

import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
} from '../machinery/resources.ts';
import { claimKind, setClaimPhase, setVolumePhase, type BinderTools } from './binder-tools.ts';
import { bindCompleted, boundByController } from './volume-texts.ts';

/**
 * Both sides say that they belong together; the volume first, so that no other claim can get it.
 * Each write that was done already is left out, so an interrupted binding is completed.
 */
export async function bind(
  tools: BinderTools,
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): Promise<void> {
  const taken = await setVolumePhase(tools, await bindVolume(tools, volume, claim), {
    phase: 'Bound',
  });
  const bound = await bindClaim(tools, taken, claim);
  await setClaimPhase(tools, bound, 'Bound', taken);
}

async function bindVolume(
  { context }: BinderTools,
  volume: PersistentVolume,
  { metadata }: PersistentVolumeClaim,
): Promise<PersistentVolume> {
  const before = volume.spec?.claimRef;
  if (before?.uid === metadata.uid && before?.uid !== undefined) return volume;
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = metadata;
  const { apiVersion, kind } = claimKind;
  const claimRef = { apiVersion, kind, namespace, name, uid, resourceVersion };
  const annotations = {
    ...volume.metadata.annotations,
    ...(before === undefined && { [boundByController]: 'yes' }),
  };
  return context.client.resource<PersistentVolume>(persistentVolumesResource).update({
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: { ...volume.spec, claimRef },
  });
}

async function bindClaim(
  { context }: BinderTools,
  { metadata: { name: volumeName = '' } }: PersistentVolume,
  claim: PersistentVolumeClaim,
): Promise<PersistentVolumeClaim> {
  const { annotations = {} } = claim.metadata;
  const isNamed = claim.spec?.volumeName === volumeName;
  if (isNamed && annotations[bindCompleted] !== undefined) return claim;
  const marks = { ...(!isNamed && { [boundByController]: 'yes' }), [bindCompleted]: 'yes' };
  return context.client
    .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
    .namespace(claim.metadata.namespace ?? '')
    .update({
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...annotations, ...marks } },
      spec: { ...claim.spec, volumeName },
    });
}

/** What the binder bound is free again; what was kept for a claim by hand stays kept, by name. */
export async function unbind(tools: BinderTools, volume: PersistentVolume): Promise<void> {
  const { claimRef, ...spec } = volume.spec ?? {};
  const { annotations = {}, ...metadata } = volume.metadata;
  const { [boundByController]: mark, ...others } = annotations;
  const { uid: _, ...byName } = claimRef ?? {};
  const freed = await tools.context.client
    .resource<PersistentVolume>(persistentVolumesResource)
    .update({
      ...volume,
      metadata: { ...metadata, ...(Object.keys(others).length > 0 && { annotations: others }) },
      spec: mark === undefined ? { ...spec, claimRef: byName } : spec,
    });
  await setVolumePhase(tools, freed, { phase: 'Available' });
}
