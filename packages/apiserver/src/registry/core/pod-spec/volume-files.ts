// Volumes whose files come from the API: secrets, config maps, the downward API, and projections of
// several of these into one folder.

import { fieldError } from '@keelson/apimachinery';
import type {
  ClusterTrustBundleProjection,
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  KeyToPath,
  PodCertificateProjection,
  ProjectedVolumeSource,
  SecretVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '@keelson/apimachinery/types/core.v1';
import { oneOf, required, type Errors } from '../../validation/checks.ts';
import { labelSelector } from '../../validation/labels.ts';
import { fileMode, localNonReservedPath } from '../../validation/paths.ts';
import { signerName, trustBundleName } from '../../validation/signer-names.ts';
import { containerResource, objectField, volumeFieldPaths } from './downward-api.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import type { PodSpecOptions } from './scope.ts';

interface VolumeScope {
  readonly options: PodSpecOptions;
}

export function secretVolume(errors: Errors, path: string, source: SecretVolumeSource): void {
  required(errors, `${path}.secretName`, source.secretName);
  fileMode(errors, `${path}.defaultMode`, source.defaultMode);
  keysToPaths(errors, `${path}.items`, source.items);
}

export function configMapVolume(errors: Errors, path: string, source: ConfigMapVolumeSource): void {
  required(errors, `${path}.name`, source.name);
  fileMode(errors, `${path}.defaultMode`, source.defaultMode);
  keysToPaths(errors, `${path}.items`, source.items);
}

function keysToPaths(errors: Errors, path: string, items: readonly KeyToPath[] | undefined): void {
  items?.forEach((item, i) => keyToPath(errors, `${path}[${i}]`, item));
}

function keyToPath(errors: Errors, path: string, item: KeyToPath): void {
  required(errors, `${path}.key`, item.key);
  required(errors, `${path}.path`, item.path);
  localNonReservedPath(errors, `${path}.path`, item.path);
  fileMode(errors, `${path}.mode`, item.mode);
}

export function downwardApiVolume(
  errors: Errors,
  path: string,
  source: DownwardAPIVolumeSource,
): void {
  fileMode(errors, `${path}.defaultMode`, source.defaultMode);
  // COMPAT: the files are reported at the path of the volume.
  for (const file of source.items ?? []) downwardApiFile(errors, path, file);
}

function downwardApiFile(errors: Errors, path: string, file: DownwardAPIVolumeFile): void {
  required(errors, `${path}.path`, file.path);
  localNonReservedPath(errors, `${path}.path`, file.path);
  if (file.fieldRef) {
    objectField(errors, `${path}.fieldRef`, file.fieldRef, volumeFieldPaths);
    if (file.resourceFieldRef) {
      const why = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      errors.push(fieldError.invalid(path, 'resource', why));
    }
  } else if (file.resourceFieldRef) {
    const at = `${path}.resourceFieldRef`;
    containerResource(errors, at, file.resourceFieldRef, { needsContainer: true });
  } else {
    errors.push(fieldError.required(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  fileMode(errors, `${path}.mode`, file.mode);
}

export function projectedVolume(
  errors: Errors,
  path: string,
  volume: ProjectedVolumeSource,
  scope: VolumeScope,
): void {
  fileMode(errors, `${path}.defaultMode`, volume.defaultMode);
  const seen = new Set<string>();
  const file = (name: string, about: string) => {
    if (seen.has(name)) errors.push(fieldError.invalid(path, about, 'conflicting duplicate paths'));
    seen.add(name);
  };
  (volume.sources ?? []).forEach((source, i) => {
    projection(errors, path, [source, `${path}.sources[${i}]`], { ...scope, file });
  });
}

interface ProjectionScope extends VolumeScope {
  /** Notes a file name; `about` is shown when it is taken. */
  file(name: string, about: string): void;
}

function projection(
  errors: Errors,
  volumePath: string,
  [source, path]: readonly [VolumeProjection, string],
  scope: ProjectionScope,
): void {
  for (const field of ['secret', 'configMap'] as const) {
    const items = source[field];
    if (!items) continue;
    required(errors, `${path}.${field}.name`, items.name);
    (items.items ?? []).forEach((item, i) => {
      keyToPath(errors, `${path}.${field}.items[${i}]`, item);
      if (item.path !== '') scope.file(item.path, items.name ?? '');
    });
  }
  for (const file of source.downwardAPI?.items ?? []) {
    downwardApiFile(errors, `${path}.downwardAPI`, file);
    if (file.path !== '') scope.file(file.path, file.path);
  }
  if (source.serviceAccountToken) {
    const at = `${path}.serviceAccountToken`;
    tokenProjection(errors, volumePath, [source.serviceAccountToken, at], scope);
  }
  if (source.clusterTrustBundle) {
    trustBundle(errors, `${path}.clusterTrustBundle`, source.clusterTrustBundle);
    scope.file(source.clusterTrustBundle.path, source.clusterTrustBundle.path);
  }
  if (source.podCertificate) {
    podCertificate(errors, `${path}.podCertificate`, source.podCertificate, scope);
  }
  if (Object.values(source).filter((member) => member !== undefined).length > 1) {
    errors.push(fieldError.forbidden(path, 'may not specify more than 1 volume type per source'));
  }
}

function tokenProjection(
  errors: Errors,
  volumePath: string,
  [token, path]: readonly [ServiceAccountTokenProjection, string],
  scope: VolumeScope,
): void {
  const seconds = token.expirationSeconds ?? 0;
  if (seconds < 600) {
    const why = 'may not specify a duration less than 10 minutes';
    errors.push(fieldError.invalid(`${path}.expirationSeconds`, seconds, why));
  }
  if (seconds > 2 ** 32) {
    const why = 'may not specify a duration larger than 2^32 seconds';
    errors.push(fieldError.invalid(`${path}.expirationSeconds`, seconds, why));
  }
  // COMPAT: the file is reported at the path of the volume.
  if (!required(errors, `${volumePath}.path`, token.path)) return;
  if (scope.options.allowNonLocalProjectedTokenPath) return;
  localNonReservedPath(errors, `${volumePath}.path`, token.path);
}

function trustBundle(errors: Errors, path: string, bundle: ClusterTrustBundleProjection): void {
  const { name, signerName: signer } = bundle;
  if (name !== undefined && signer !== undefined) {
    const why = 'only one of name and signerName may be used';
    const value = internalValue('ClusterTrustBundleProjection', bundle);
    errors.push(fieldError.invalid(path, value, why));
  } else if (name !== undefined) {
    if (name === '') {
      errors.push(fieldError.required(`${path}.name`, 'must be a valid object name'));
    }
    for (const sentence of trustBundleName(name)) {
      const why = `not a valid clustertrustbundlename: ${sentence}`;
      errors.push(fieldError.invalid(`${path}.name`, name, why));
    }
    if (bundle.labelSelector) {
      const why = 'labelSelector must be unset if name is specified';
      errors.push(fieldError.invalid(`${path}.labelSelector`, bundle.labelSelector, why));
    }
  } else if (signer !== undefined) {
    if (signer === '') {
      errors.push(fieldError.required(`${path}.signerName`, 'must be a valid signer name'));
    }
    signerName(errors, `${path}.signerName`, signer);
    labelSelector(errors, `${path}.labelSelector`, bundle.labelSelector);
  } else {
    errors.push(fieldError.required(path, 'either name or signerName must be specified'));
  }
  required(errors, `${path}.path`, bundle.path);
  localNonReservedPath(errors, `${path}.path`, bundle.path);
}

const certificateKeyTypes = [
  'RSA3072',
  'RSA4096',
  'ECDSAP256',
  'ECDSAP384',
  'ECDSAP521',
  'ED25519',
];
const certificateSeconds = { min: 3600, max: 91 * 86400 } as const;

function podCertificate(
  errors: Errors,
  path: string,
  source: PodCertificateProjection,
  scope: ProjectionScope,
): void {
  signerName(errors, `${path}.signerName`, source.signerName);
  oneOf(errors, `${path}.keyType`, source.keyType, certificateKeyTypes);
  const seconds = source.maxExpirationSeconds;
  if (seconds !== undefined && seconds < certificateSeconds.min) {
    const why = `if provided, maxExpirationSeconds must be >= ${certificateSeconds.min}`;
    errors.push(fieldError.invalid(`${path}.maxExpirationSeconds`, seconds, why));
  }
  if (seconds !== undefined && seconds > certificateSeconds.max) {
    const why = `if provided, maxExpirationSeconds must be <= ${certificateSeconds.max}`;
    errors.push(fieldError.invalid(`${path}.maxExpirationSeconds`, seconds, why));
  }
  const files = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const;
  const given = files.filter((field) => (source[field] ?? '') !== '');
  if (given.length === 0) {
    const why = 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath';
    errors.push(fieldError.required(path, why));
  }
  for (const field of given) {
    const name = source[field] ?? '';
    localNonReservedPath(errors, `${path}.${field}`, name);
    scope.file(name, name);
  }
}
