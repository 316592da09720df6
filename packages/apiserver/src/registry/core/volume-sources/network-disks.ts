// Volume sources that name a disk or share in some storage system; most are in-tree drivers of old
// and exist for stored objects only. Pods and PersistentVolumes have nearly the same fields.

import { isIP } from 'node:net';
import { fieldError } from '@keelson/apimachinery';
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
  ScaleIOVolumeSource,
  StorageOSVolumeSource,
} from '@keelson/apimachinery/types/core.v1';
import { conforms, inRange, oneOf, required, type Errors } from '../../validation/checks.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  isLongerThan,
  rangeSentence,
} from '../../validation/names.ts';

/** A source that is valid when these fields are not empty. */
export function requireFields<T extends object>(...fields: (keyof T & string)[]) {
  return (errors: Errors, path: string, source: T): void => {
    for (const field of fields) required(errors, `${path}.${field}`, source[field]);
  };
}

/** A secret reference that may be absent, but not nameless. */
export function namedSecret(
  errors: Errors,
  path: string,
  secret: { readonly name?: string } | undefined,
): void {
  if (secret) required(errors, `${path}.name`, secret.name);
}

interface PartitionedDisk {
  readonly partition?: number;
}
/** GCE and AWS disks: the partition is 0 to 255, although the text says 1. */
export function partition(errors: Errors, path: string, disk: PartitionedDisk): void {
  const value = disk.partition ?? 0;
  if (value >= 0 && value <= 255) return;
  errors.push(fieldError.invalid(`${path}.partition`, value, rangeSentence(1, 255)));
}

const iqnPattern = /iqn\.\d{4}-\d{2}\.([0-9A-Za-z\-.]+)(:[^,;*&$|\s]+)$/;
const euiPattern = /^eui.[0-9A-Za-z]{16}$/;
const naaPattern = /^naa.[0-9A-Za-z]{32}$/;

/** The first problem of an iSCSI name (`iqn.…`, `eui.…`, `naa.…`), or undefined. */
export function iscsiNameProblem(name: string): 'prefix' | 'format' | undefined {
  if (name.startsWith('iqn')) return iqnPattern.test(name) ? undefined : 'format';
  if (name.startsWith('eui')) return euiPattern.test(name) ? undefined : 'format';
  if (name.startsWith('naa')) return naaPattern.test(name) ? undefined : 'format';
  return 'prefix';
}

const iscsiDetails = {
  prefix: 'must be valid format starting with iqn, eui, or naa',
  format: 'must be valid format',
} as const;

export function iscsi(errors: Errors, path: string, source: ISCSIVolumeSource): void {
  required(errors, `${path}.targetPortal`, source.targetPortal);
  if (required(errors, `${path}.iqn`, source.iqn)) {
    const problem = iscsiNameProblem(source.iqn);
    if (problem) {
      errors.push(fieldError.invalid(`${path}.iqn`, source.iqn, iscsiDetails[problem]));
    }
  }
  inRange(errors, `${path}.lun`, source.lun, [0, 255]);
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) {
    errors.push(fieldError.required(`${path}.secretRef`));
  }
  if (source.initiatorName !== undefined) {
    const problem = iscsiNameProblem(source.initiatorName);
    if (problem) {
      const at = `${path}.initiatorname`;
      errors.push(fieldError.invalid(at, source.initiatorName, iscsiDetails[problem]));
    }
  }
}

export function fibreChannel(errors: Errors, path: string, source: FCVolumeSource): void {
  const names = source.targetWWNs ?? [];
  const ids = source.wwids ?? [];
  const at = `${path}.targetWWNs`;
  if (names.length === 0 && ids.length === 0) {
    errors.push(fieldError.required(at, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (names.length > 0 && ids.length > 0) {
    const why = 'targetWWNs and wwids can not be specified simultaneously';
    errors.push(fieldError.invalid(at, names, why));
  }
  if (names.length === 0) return;
  if (source.lun === undefined) {
    const why = 'lun is required if targetWWNs is specified';
    errors.push(fieldError.required(`${path}.lun`, why));
  } else inRange(errors, `${path}.lun`, source.lun, [0, 255]);
}

export function nfs(errors: Errors, path: string, source: NFSVolumeSource): void {
  required(errors, `${path}.server`, source.server);
  required(errors, `${path}.path`, source.path);
  if (!source.path.startsWith('/')) {
    errors.push(fieldError.invalid(`${path}.path`, source.path, 'must be an absolute path'));
  }
}

export function quobyte(errors: Errors, path: string, source: QuobyteVolumeSource): void {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas';
  if (source.registry === '') errors.push(fieldError.required(`${path}.registry`, pairs));
  else if (isLongerThan(source.tenant ?? '', 64)) {
    const why = 'must be a UUID and may not exceed a length of 64 characters';
    errors.push(fieldError.required(`${path}.tenant`, why));
  } else {
    for (const pair of source.registry.split(',')) {
      if (isHostPort(pair)) continue;
      errors.push(fieldError.invalid(`${path}.registry`, source.registry, pairs));
    }
  }
  required(errors, `${path}.volume`, source.volume);
}

/** Go's net.SplitHostPort accepts it: one colon, or the host in brackets. */
function isHostPort(text: string): boolean {
  const bracketed = /^\[([^\][]*)\]:([^:\][]*)$/.exec(text);
  if (bracketed) return true;
  return /^[^:\][]*:[^:\][]*$/.test(text) && isIP(text) === 0;
}

export function flocker(errors: Errors, path: string, source: FlockerVolumeSource): void {
  const { datasetName = '', datasetUUID = '' } = source;
  if (datasetName === '' && datasetUUID === '') {
    errors.push(fieldError.required(path, 'one of datasetName and datasetUUID is required'));
  }
  if (datasetName !== '' && datasetUUID !== '') {
    const why = 'datasetName and datasetUUID can not be specified simultaneously';
    errors.push(fieldError.invalid(path, 'resource', why));
  }
  if (datasetName.includes('/')) {
    errors.push(fieldError.invalid(`${path}.datasetName`, datasetName, "must not contain '/'"));
  }
}

/** Options must not use Kubernetes' own domains. */
export function flexVolume(
  errors: Errors,
  path: string,
  source: Pick<FlexVolumeSource, 'driver' | 'options'>,
): void {
  required(errors, `${path}.driver`, source.driver);
  for (const key of Object.keys(source.options ?? {})) {
    const domain = `.${(key.split('/', 1)[0] ?? key).toLowerCase()}`;
    if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io')) {
      const why = 'kubernetes.io and k8s.io namespaces are reserved';
      errors.push(fieldError.invalid(`${path}.options[${key}]`, key, why));
    }
  }
}

const azureCachingModes = ['None', 'ReadOnly', 'ReadWrite'];
const azureDiskKinds = ['Dedicated', 'Managed', 'Shared'];
const managedDiskUri =
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobDiskUri = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

export function azureDisk(errors: Errors, path: string, source: AzureDiskVolumeSource): void {
  const { kind, diskURI, cachingMode } = source;
  required(errors, `${path}.diskName`, source.diskName);
  required(errors, `${path}.diskURI`, diskURI);
  if (cachingMode !== undefined) {
    oneOf(errors, `${path}.cachingMode`, cachingMode, azureCachingModes);
  }
  if (kind === undefined) return;
  oneOf(errors, `${path}.kind`, kind, azureDiskKinds);
  const [prefix, form] =
    kind === 'Managed' ? ['/subscriptions/', managedDiskUri] : ['https://', blobDiskUri];
  if (!diskURI.startsWith(prefix)) {
    errors.push(fieldError.notSupported(`${path}.diskURI`, diskURI, [form]));
  }
}

export const scaleIo = requireFields<
  Pick<ScaleIOVolumeSource, 'gateway' | 'system' | 'volumeName'>
>('gateway', 'system', 'volumeName');

export function storageOs(
  errors: Errors,
  path: string,
  source: Pick<StorageOSVolumeSource, 'volumeName' | 'volumeNamespace'>,
): void {
  const { volumeName = '', volumeNamespace = '' } = source;
  if (required(errors, `${path}.volumeName`, volumeName)) {
    conforms(errors, `${path}.volumeName`, volumeName, dns1123Label);
  }
  if (volumeNamespace !== '') {
    conforms(errors, `${path}.volumeNamespace`, volumeNamespace, dns1123Label);
  }
}

/** Names of CSI drivers; upper case is tolerated. */
export function csiDriverName(errors: Errors, path: string, driver: string): void {
  required(errors, path, driver);
  if (isLongerThan(driver, 63)) errors.push(fieldError.tooLong(path, 63));
  for (const sentence of dns1123Subdomain(driver.toLowerCase())) {
    errors.push(fieldError.invalid(path, driver, sentence));
  }
}
