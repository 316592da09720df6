// Defaults of the sources of a volume. A volume without a source is an empty directory.

import { defaultPullPolicy } from '@keelson/apimachinery';
import type { Volume } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { defaultFieldRef, roundUpResources } from './defaults.ts';

const fileMode = 0o644;
const tokenSeconds = 3600;

export function defaultVolume(volume: Volume, features: Features): void {
  const sources = Object.entries(volume).filter(([k, v]) => k !== 'name' && v !== undefined);
  if (sources.length === 0) volume.emptyDir = {};
  if (volume.hostPath) volume.hostPath.type ??= '';
  if (volume.secret) volume.secret.defaultMode ??= fileMode;
  if (volume.configMap) volume.configMap.defaultMode ??= fileMode;
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= 'default';
  if (volume.rbd) {
    volume.rbd.pool ||= 'rbd';
    volume.rbd.user ||= 'admin';
    volume.rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (volume.azureDisk) {
    volume.azureDisk.cachingMode ??= 'ReadWrite';
    volume.azureDisk.kind ??= 'Shared';
    volume.azureDisk.fsType ??= 'ext4';
    volume.azureDisk.readOnly ??= false;
  }
  if (volume.scaleIO) {
    volume.scaleIO.storageMode ||= 'ThinProvisioned';
    volume.scaleIO.fsType ||= 'xfs';
  }
  defaultFiles(volume);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) {
    claim.volumeMode ??= 'Filesystem';
    if (claim.resources?.limits) roundUpResources(claim.resources.limits);
    if (claim.resources?.requests) roundUpResources(claim.resources.requests);
  }
  if (volume.image && features.enabled('ImageVolume')) {
    volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? '');
  }
}

function defaultFiles({ downwardAPI, projected }: Volume): void {
  if (downwardAPI) {
    downwardAPI.defaultMode ??= fileMode;
    for (const item of downwardAPI.items ?? []) defaultFieldRef(item.fieldRef);
  }
  if (!projected) return;
  projected.defaultMode ??= fileMode;
  for (const source of projected.sources ?? []) {
    for (const item of source.downwardAPI?.items ?? []) defaultFieldRef(item.fieldRef);
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= tokenSeconds;
  }
}
