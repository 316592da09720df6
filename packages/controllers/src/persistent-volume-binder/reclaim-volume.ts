// What becomes of a volume whose claim is gone: it is kept, emptied for somebody else or removed, as
// its reclaim policy says. Volumes that somebody outside made are left to them.

import { isStatusError } from '@keelson/apimachinery';
import type { PersistentVolume } from '@keelson/apimachinery/types/core.v1';
import { persistentVolumesResource } from '../machinery/resources.ts';
import { failVolume, type BinderTools } from './binder-tools.ts';
import { deleterProblem, isInTree } from './in-tree-plugins.ts';
import type { Recycler } from './recycle-volume.ts';
import { inTreeFinalizer, migratedToAnnotation, provisionedBy } from './volume-texts.ts';

export async function reclaimVolume(
  tools: BinderTools,
  volume: PersistentVolume,
  recycler: Recycler,
): Promise<void> {
  if ((volume.metadata.annotations?.[migratedToAnnotation] ?? '') !== '') return;
  const policy = volume.spec?.persistentVolumeReclaimPolicy ?? 'Retain';
  if (policy === 'Recycle') await recycler.recycle(volume);
  if (policy === 'Delete') await deleteVolume(tools, volume);
}

async function deleteVolume(tools: BinderTools, volume: PersistentVolume): Promise<void> {
  const isHonored = tools.context.isEnabled('HonorPVReclaimPolicy');
  if (!isHonored && volume.metadata.deletionTimestamp !== undefined) return;
  const provisioner = volume.metadata.annotations?.[provisionedBy] ?? '';
  if (provisioner !== '' && !isInTree(provisioner)) return;
  // Whoever runs the driver deletes it, whether it says so or not.
  if (isHonored && provisioner === '' && volume.spec?.csi !== undefined) return;
  const problem = deleterProblem(volume, provisioner) ?? pathProblem(volume);
  if (problem === undefined) return remove(tools, volume);
  await failVolume(tools, volume, { reason: 'VolumeFailedDelete', message: problem });
}

/** COMPAT: `/tmp/` may stand anywhere in it. */
function pathProblem({ spec }: PersistentVolume): string | undefined {
  const { path = '' } = spec?.hostPath ?? {};
  if (/\/tmp\/./.test(path)) return undefined;
  return `host_path deleter only supports /tmp/.+ but received provided ${path}`;
}

/** What is under the path is the node's; only the object is removed. */
async function remove({ context }: BinderTools, volume: PersistentVolume): Promise<void> {
  const resource = context.client.resource<PersistentVolume>(persistentVolumesResource);
  const { name = '', uid = '', finalizers = [] } = volume.metadata;
  try {
    if (finalizers.includes(inTreeFinalizer)) {
      const left = finalizers.filter((finalizer) => finalizer !== inTreeFinalizer);
      await resource.update({ ...volume, metadata: { ...volume.metadata, finalizers: left } });
    }
    await resource.delete(name, { preconditions: { uid } });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
