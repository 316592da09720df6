// The sources of a PersistentVolume: what each must have. In the order in which Kubernetes looks at
// them; one of them must be there. Sources of pods that have the same fields share their rules.

import { fieldError } from '@keelson/apimachinery';
import type {
  AzureFilePersistentVolumeSource,
  CinderPersistentVolumeSource,
  CSIPersistentVolumeSource,
  GCEPersistentDiskVolumeSource,
  ISCSIPersistentVolumeSource,
  LocalVolumeSource,
  PersistentVolumeSpec,
  SecretReference,
  StorageOSPersistentVolumeSource,
} from '@keelson/apimachinery/types/core.v1';
import { conforms, required, type Errors } from '../../validation/checks.ts';
import { dns1123Label, dns1123Subdomain, isLongerThan } from '../../validation/names.ts';
import { noBacksteps } from '../../validation/paths.ts';
import { hostPath } from '../volume-sources/host-path.ts';
import * as disks from '../volume-sources/network-disks.ts';

type Check = (errors: Errors, path: string, spec: PersistentVolumeSpec) => void;

interface SourceRule {
  readonly field: keyof PersistentVolumeSpec & string;
  /** Name of the struct in the core group. */
  readonly type: string;
  readonly check: Check;
  readonly pathName?: string;
  readonly repeatedName?: string;
}

/**
 * COMPAT: how findings name a source, where that is not its field. `repeatedName` is for one that
 * follows another; empty when it may.
 */
type Naming = Pick<SourceRule, 'pathName' | 'repeatedName'>;

function rule<F extends keyof PersistentVolumeSpec & string>(
  field: F,
  type: string,
  check: (errors: Errors, path: string, source: NonNullable<PersistentVolumeSpec[F]>) => void,
  naming: Naming = {},
): SourceRule {
  return {
    ...naming,
    field,
    type,
    check(errors, path, spec) {
      const source = spec[field];
      if (source !== undefined && source !== null) check(errors, path, source);
    },
  };
}

export const sourceRules: readonly SourceRule[] = [
  rule('hostPath', 'HostPathVolumeSource', hostPath),
  rule('gcePersistentDisk', 'GCEPersistentDiskVolumeSource', gcePersistentDisk, {
    pathName: 'persistentDisk',
  }),
  rule('awsElasticBlockStore', 'AWSElasticBlockStoreVolumeSource', (errors, path, source) => {
    required(errors, `${path}.volumeID`, source.volumeID);
    disks.partition(errors, path, source);
  }),
  rule('glusterfs', 'GlusterfsPersistentVolumeSource', (errors, path, source) => {
    required(errors, `${path}.endpoints`, source.endpoints);
    required(errors, `${path}.path`, source.path);
    if (source.endpointsNamespace === '') {
      const why = 'if the endpointnamespace is set, it must be a valid namespace name';
      errors.push(fieldError.invalid(`${path}.endpointsNamespace`, '', why));
    }
  }),
  rule('flocker', 'FlockerVolumeSource', disks.flocker),
  rule('nfs', 'NFSVolumeSource', disks.nfs),
  rule('rbd', 'RBDPersistentVolumeSource', disks.requireFields('monitors', 'image')),
  rule('quobyte', 'QuobyteVolumeSource', disks.quobyte),
  rule('cephfs', 'CephFSPersistentVolumeSource', disks.requireFields('monitors'), {
    repeatedName: 'cephFS',
  }),
  rule('iscsi', 'ISCSIPersistentVolumeSource', iscsi),
  rule('cinder', 'CinderPersistentVolumeSource', cinder),
  rule('fc', 'FCVolumeSource', disks.fibreChannel),
  rule('flexVolume', 'FlexPersistentVolumeSource', disks.flexVolume, { repeatedName: '' }),
  rule('azureFile', 'AzureFilePersistentVolumeSource', azureFile),
  rule('vsphereVolume', 'VsphereVirtualDiskVolumeSource', disks.requireFields('volumePath')),
  rule('azureDisk', 'AzureDiskVolumeSource', disks.azureDisk),
  rule('photonPersistentDisk', 'PhotonPersistentDiskVolumeSource', disks.requireFields('pdID')),
  rule('portworxVolume', 'PortworxVolumeSource', disks.requireFields('volumeID')),
  rule('scaleIO', 'ScaleIOPersistentVolumeSource', disks.scaleIo),
  rule('local', 'LocalVolumeSource', local),
  rule('storageos', 'StorageOSPersistentVolumeSource', storageOs),
  rule('csi', 'CSIPersistentVolumeSource', csi),
];

/** The order of the fields in Kubernetes' internal struct, which differences are printed in. */
export const internalSourceOrder: readonly (keyof PersistentVolumeSpec & string)[] = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'hostPath',
  'glusterfs',
  'nfs',
  'rbd',
  'quobyte',
  'iscsi',
  'flexVolume',
  'cinder',
  'cephfs',
  'fc',
  'flocker',
  'azureFile',
  'vsphereVolume',
  'azureDisk',
  'photonPersistentDisk',
  'portworxVolume',
  'scaleIO',
  'local',
  'storageos',
  'csi',
];

function gcePersistentDisk(errors: Errors, path: string, source: GCEPersistentDiskVolumeSource) {
  required(errors, `${path}.pdName`, source.pdName);
  disks.partition(errors, path, source);
}

function iscsi(errors: Errors, path: string, source: ISCSIPersistentVolumeSource): void {
  disks.iscsi(errors, path, source);
  if (source.secretRef) required(errors, `${path}.secretRef.name`, source.secretRef.name);
}

/** kubelet makes `<volume name>:<portal>` a part of file names. */
export function checkIscsiLength(errors: Errors, name: string, spec: PersistentVolumeSpec): void {
  if (spec.iscsi?.initiatorName === undefined) return;
  if (!isLongerThan(`${name}:${spec.iscsi.targetPortal}`, 64)) return;
  const why =
    'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
  errors.push(fieldError.invalid('metadata.name', name, why));
}

function cinder(errors: Errors, path: string, source: CinderPersistentVolumeSource): void {
  required(errors, `${path}.volumeID`, source.volumeID);
  if (!source.secretRef) return;
  required(errors, `${path}.secretRef.name`, source.secretRef.name);
  required(errors, `${path}.secretRef.namespace`, source.secretRef.namespace);
}

function azureFile(errors: Errors, path: string, source: AzureFilePersistentVolumeSource): void {
  required(errors, `${path}.secretName`, source.secretName);
  required(errors, `${path}.shareName`, source.shareName);
  if (source.secretNamespace === '') {
    errors.push(fieldError.required(`${path}.secretNamespace`));
  }
}

function local(errors: Errors, path: string, source: LocalVolumeSource): void {
  if (!required(errors, `${path}.path`, source.path)) return;
  noBacksteps(errors, `${path}.path`, source.path);
}

function storageOs(errors: Errors, path: string, source: StorageOSPersistentVolumeSource): void {
  disks.storageOs(errors, path, source);
  if (!source.secretRef) return;
  required(errors, `${path}.secretRef.name`, source.secretRef.name);
  required(errors, `${path}.secretRef.namespace`, source.secretRef.namespace);
}

const csiSecrets = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

function csi(errors: Errors, path: string, source: CSIPersistentVolumeSource): void {
  disks.csiDriverName(errors, `${path}.driver`, source.driver);
  required(errors, `${path}.volumeHandle`, source.volumeHandle);
  for (const field of csiSecrets) {
    const reference = source[field];
    if (reference) secretReference(errors, `${path}.${field}`, reference);
  }
}

function secretReference(errors: Errors, path: string, reference: SecretReference): void {
  const { name = '', namespace = '' } = reference;
  if (required(errors, `${path}.name`, name)) {
    conforms(errors, `${path}.name`, name, dns1123Subdomain);
  }
  if (required(errors, `${path}.namespace`, namespace)) {
    conforms(errors, `${path}.namespace`, namespace, dns1123Label);
  }
}
