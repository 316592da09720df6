// Objects of plugins that CSI drivers have taken over say by an annotation to whom they belong now,
// and which finalizer keeps a volume depends on who made it: one of a plugin in the tree that is to
// be deleted with its claim has the binder's (KEP-2644).

import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
} from '../machinery/resources.ts';
import type { BinderTools } from './binder-tools.ts';
import { isInTree, migratedTo } from './in-tree-plugins.ts';
import {
  betaStorageProvisioner,
  inTreeFinalizer,
  migratedToAnnotation,
  provisionedBy,
  provisionerFinalizer,
  storageProvisioner,
} from './volume-texts.ts';

type Annotations = Readonly<Record<string, string>>;

/** The claim as it is afterwards. */
export async function markMigratedClaim(
  { context }: BinderTools,
  claim: PersistentVolumeClaim,
): Promise<PersistentVolumeClaim> {
  const { annotations = {}, namespace = '' } = claim.metadata;
  const provisioner = annotations[storageProvisioner] ?? annotations[betaStorageProvisioner];
  const marked = migratedAnnotations(annotations, provisioner);
  if (marked === undefined) return claim;
  return context.client
    .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
    .namespace(namespace)
    .update({ ...claim, metadata: { ...claim.metadata, annotations: marked } });
}

/** The volume as it is afterwards. */
export async function markMigratedVolume(
  { context }: BinderTools,
  volume: PersistentVolume,
): Promise<PersistentVolume> {
  const { annotations = {} } = volume.metadata;
  const marked = migratedAnnotations(annotations, annotations[provisionedBy]);
  const finalizers = context.isEnabled('HonorPVReclaimPolicy')
    ? neededFinalizers(volume)
    : undefined;
  if (marked === undefined && finalizers === undefined) return volume;
  const metadata = {
    ...volume.metadata,
    ...(marked && { annotations: marked }),
    ...(finalizers && { finalizers }),
  };
  return context.client
    .resource<PersistentVolume>(persistentVolumesResource)
    .update({ ...volume, metadata });
}

/** Undefined when they are as they should be. */
function migratedAnnotations(
  annotations: Annotations,
  provisioner: string | undefined,
): Annotations | undefined {
  if (provisioner === undefined) return undefined;
  const { [migratedToAnnotation]: known = '', ...others } = annotations;
  const driver = migratedTo(provisioner);
  if (known === (driver ?? '')) return undefined;
  return driver === undefined ? others : { ...annotations, [migratedToAnnotation]: driver };
}

/** Undefined when they are as they should be. */
function neededFinalizers({ metadata, spec }: PersistentVolume): string[] | undefined {
  const provisioner = metadata.annotations?.[provisionedBy];
  if (provisioner === undefined || !isInTree(provisioner)) return undefined;
  const known = metadata.finalizers ?? [];
  const isMigrated = migratedTo(provisioner) !== undefined;
  const isOurs = !isMigrated && spec?.persistentVolumeReclaimPolicy === 'Delete';
  const wrong = isMigrated
    ? [inTreeFinalizer]
    : [provisionerFinalizer, ...(isOurs ? [] : [inTreeFinalizer])];
  const needed = known.filter((name) => !wrong.includes(name));
  if (isOurs && !needed.includes(inTreeFinalizer)) needed.push(inTreeFinalizer);
  const isSame = needed.length === known.length && needed.every((name, i) => name === known[i]);
  return isSame ? undefined : needed;
}
