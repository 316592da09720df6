// restrictedVolumes (restricted): only volume types that cannot reach the node or its network.
//
// Fields: spec.volumes[*].
// Allowed: configMap, csi, downwardAPI, emptyDir, ephemeral, persistentVolumeClaim, projected,
// secret; in servers from 1.33 also image.
// Versions: 1.0. Overrides hostPathVolumes.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import type { Volume } from '../pod.ts';
import { joinQuoted, plural, sortedSet } from '../wording.ts';

const allowedTypes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const;

/** Types with a name in messages, in the order in which a volume is asked for them. */
const knownTypes = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'portworxVolume',
  'photonPersistentDisk',
  'scaleIO',
  'storageos',
] as const;

/** The first release that knows image volumes to be harmless; older ones call them unknown. */
const imageRelease = 33;

const since1_0: CheckPod = (_metadata, spec, server) => {
  const volumes = spec.volumes ?? undefined;
  if (volumes === undefined) return undefined;
  let bad: (Violations & { readonly names: string[] }) | undefined;
  for (let i = 0; i < volumes.length; i++) {
    const volume = volumes[i];
    if (volume && isAllowed(volume, server.release)) continue;
    bad ??= { ...createViolations(), names: [] };
    bad.names.push(volume?.name ?? '');
    const type = knownTypes.find((known) => hasSource(volume, known)) ?? 'unknown';
    bad.values.push(type);
    bad.fieldErrors.push(forbiddenField(`spec.volumes[${i}].${type}`));
  }
  if (bad === undefined) return undefined;
  const types = sortedSet(bad.values);
  const noun = plural('volume', 'volumes', bad.names.length);
  const verb = plural('uses', 'use', bad.names.length);
  const typeNoun = plural('restricted volume type', 'restricted volume types', types.length);
  return {
    reason: 'restricted volume types',
    detail: `${noun} ${joinQuoted(bad.names)} ${verb} ${typeNoun} ${joinQuoted(types)}`,
    fieldErrors: bad.fieldErrors,
  };
};

export const restrictedVolumes: Check = {
  id: 'restrictedVolumes',
  level: 'restricted',
  versions: [{ minimumVersion: 0, checkPod: since1_0, overrides: ['hostPathVolumes'] }],
};

function isAllowed(volume: Volume, release: number): boolean {
  for (const type of allowedTypes) if (hasSource(volume, type)) return true;
  return release >= imageRelease && hasSource(volume, 'image');
}

function hasSource(volume: Volume | null | undefined, type: string): boolean {
  const source = volume?.[type];
  return source !== undefined && source !== null;
}
