// The volumes of a pod: a name, and exactly one source.

import { fieldError, parseQuantity, quoteGo, signOf } from '@keelson/apimachinery';
import type {
  AWSElasticBlockStoreVolumeSource,
  CSIVolumeSource,
  EphemeralVolumeSource,
  GCEPersistentDiskVolumeSource,
  ImageVolumeSource,
  Volume,
} from '@keelson/apimachinery/types/core.v1';
import { conforms, required, requiredOneOf, type Errors } from '../../validation/checks.ts';
import { dns1123Label, dns1123Subdomain, isLongerThan } from '../../validation/names.ts';
import { localDescendingPath } from '../../validation/paths.ts';
import { persistentVolumeClaimTemplate } from '../persistentvolumeclaims/claim-spec.ts';
import { hostPath } from '../volume-sources/host-path.ts';
import * as disks from '../volume-sources/network-disks.ts';
import {
  configMapVolume,
  downwardApiVolume,
  projectedVolume,
  secretVolume,
} from './volume-files.ts';
import type { PodSpecScope } from './scope.ts';

type VolumeScope = Pick<PodSpecScope, 'options' | 'podName'>;
type Source<K extends keyof Volume> = NonNullable<Volume[K]>;
interface SourceRule {
  readonly field: Exclude<keyof Volume, 'name'>;
  /** How errors name the field, where Kubernetes spells it differently. */
  readonly path?: string;
  readonly surplusPath?: string;
  check(errors: Errors, path: string, volume: Volume, scope: VolumeScope): void;
}

function rule<K extends Exclude<keyof Volume, 'name'>>(
  field: K,
  check: (errors: Errors, path: string, source: Source<K>, scope: VolumeScope) => void,
  names: { readonly path?: string; readonly surplusPath?: string } = {},
): SourceRule {
  return {
    field,
    ...names,
    check(errors, path, volume, scope) {
      const source = volume[field];
      if (source !== undefined) check(errors, path, source, scope);
    },
  };
}

const gcePersistentDisk = (errors: Errors, path: string, s: GCEPersistentDiskVolumeSource) => {
  required(errors, `${path}.pdName`, s.pdName);
  disks.partition(errors, path, s);
};
const awsDisk = (errors: Errors, path: string, s: AWSElasticBlockStoreVolumeSource) => {
  required(errors, `${path}.volumeID`, s.volumeID);
  disks.partition(errors, path, s);
};

// COMPAT: order and misspelt paths are Kubernetes'.
const sourceRules: readonly SourceRule[] = [
  rule('emptyDir', (errors, path, { sizeLimit }) => {
    if (sizeLimit === undefined || signOf(parseQuantity(sizeLimit)) >= 0) return;
    const why = 'SizeLimit field must be a valid resource quantity';
    errors.push(fieldError.forbidden(`${path}.sizeLimit`, why));
  }),
  rule('hostPath', hostPath),
  rule('gitRepo', (errors, path, source) => {
    required(errors, `${path}.repository`, source.repository);
    localDescendingPath(errors, `${path}.directory`, source.directory ?? '');
  }),
  rule('gcePersistentDisk', gcePersistentDisk, { path: 'persistentDisk' }),
  rule('awsElasticBlockStore', awsDisk),
  rule('secret', secretVolume),
  rule('nfs', disks.nfs),
  rule('iscsi', disks.iscsi),
  rule('glusterfs', disks.requireFields('endpoints', 'path')),
  rule('flocker', disks.flocker),
  rule('persistentVolumeClaim', disks.requireFields('claimName')),
  rule('rbd', disks.requireFields('monitors', 'image')),
  rule('cinder', (errors, path, source) => {
    required(errors, `${path}.volumeID`, source.volumeID);
    disks.namedSecret(errors, `${path}.secretRef`, source.secretRef);
  }),
  rule('cephfs', disks.requireFields('monitors'), { surplusPath: 'cephFS' }),
  rule('quobyte', disks.quobyte),
  rule('downwardAPI', downwardApiVolume, { surplusPath: 'downwarAPI' }),
  rule('fc', disks.fibreChannel),
  rule('flexVolume', disks.flexVolume),
  rule('configMap', configMapVolume),
  rule('azureFile', disks.requireFields('secretName', 'shareName')),
  rule('vsphereVolume', disks.requireFields('volumePath')),
  rule('photonPersistentDisk', disks.requireFields('pdID')),
  rule('portworxVolume', disks.requireFields('volumeID')),
  rule('azureDisk', disks.azureDisk),
  rule('storageos', (errors, path, source) => {
    disks.storageOs(errors, path, source);
    disks.namedSecret(errors, `${path}.secretRef`, source.secretRef);
  }),
  rule('projected', projectedVolume),
  rule('scaleIO', disks.scaleIo),
  rule('csi', csi),
  rule('ephemeral', ephemeral),
  rule('image', image),
];

/** Checks all volumes and gives the valid ones by name. */
export function podVolumes(
  errors: Errors,
  path: string,
  volumes: readonly Volume[],
  scope: VolumeScope,
): Map<string, Volume> {
  const valid = new Map<string, Volume>();
  const madeClaims = new Set<string>();
  if (scope.podName !== '') {
    for (const v of volumes) if (v.ephemeral) madeClaims.add(`${scope.podName}-${v.name}`);
  }
  volumes.forEach((volume, i) => {
    const at = `${path}[${i}]`;
    const before = errors.length;
    volumeSource(errors, at, volume, scope);
    if (required(errors, `${at}.name`, volume.name)) {
      conforms(errors, `${at}.name`, volume.name, dns1123Label);
    }
    if (valid.has(volume.name)) errors.push(fieldError.duplicate(`${at}.name`, volume.name));
    if (errors.length === before) valid.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && madeClaims.has(claim)) {
      const why = 'must not reference a PVC that gets created for an ephemeral volume';
      errors.push(fieldError.invalid(`${at}.persistentVolumeClaim.claimName`, claim, why));
    }
  });
  return valid;
}

function volumeSource(errors: Errors, path: string, volume: Volume, scope: VolumeScope): void {
  let found = false;
  for (const source of sourceRules) {
    if (volume[source.field] === undefined) continue;
    if (found) {
      const at = `${path}.${source.surplusPath ?? source.field}`;
      errors.push(fieldError.forbidden(at, 'may not specify more than 1 volume type'));
    } else {
      source.check(errors, `${path}.${source.path ?? source.field}`, volume, scope);
    }
    found = true;
    if (source.field === 'iscsi') iscsiName(errors, path, volume);
    if (source.field === 'ephemeral') ephemeralName(errors, path, volume, scope);
  }
  if (!found) errors.push(fieldError.required(path, 'must specify a volume type'));
}

/** kubelet makes `<volume name>:<portal>` a part of file names. */
function iscsiName(errors: Errors, path: string, { name, iscsi }: Volume): void {
  if (iscsi?.initiatorName === undefined) return;
  if (!isLongerThan(`${name}:${iscsi.targetPortal}`, 64)) return;
  const why =
    'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
  errors.push(fieldError.invalid(`${path}.name`, name, why));
}

/** The claim of an ephemeral volume gets the names of pod and volume. */
function ephemeralName(errors: Errors, path: string, { name }: Volume, scope: VolumeScope): void {
  if (scope.podName === '' || name === '') return;
  const claim = `${scope.podName}-${name}`;
  for (const sentence of dns1123Subdomain(claim)) {
    const why = `PVC name ${quoteGo(claim)}: ${sentence}`;
    errors.push(fieldError.invalid(`${path}.name`, name, why));
  }
}

function csi(errors: Errors, path: string, source: CSIVolumeSource): void {
  disks.csiDriverName(errors, `${path}.driver`, source.driver);
  if (!source.nodePublishSecretRef) return;
  const { name = '' } = source.nodePublishSecretRef;
  if (!required(errors, `${path}.nodePublishSecretRef.name`, name)) return;
  conforms(errors, `${path}.name`, name, dns1123Subdomain);
}

function ephemeral(errors: Errors, path: string, source: EphemeralVolumeSource): void {
  const at = `${path}.volumeClaimTemplate`;
  if (!required(errors, at, source.volumeClaimTemplate)) return;
  if (source.volumeClaimTemplate) {
    persistentVolumeClaimTemplate(errors, at, source.volumeClaimTemplate);
  }
}

export const pullPolicies = ['Always', 'IfNotPresent', 'Never'];

function image(errors: Errors, path: string, source: ImageVolumeSource, scope: VolumeScope): void {
  // A template may leave the reference to higher level controllers.
  if (scope.options.isPod) required(errors, `${path}.reference`, source.reference);
  requiredOneOf(errors, `${path}.pullPolicy`, source.pullPolicy, pullPolicies);
}
