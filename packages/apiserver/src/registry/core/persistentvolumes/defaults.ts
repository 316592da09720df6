// Defaults of PersistentVolumes and of their sources.

import type { PersistentVolume, PersistentVolumeSpec } from '@keelson/apimachinery/types/core.v1';
import { roundUpResources } from '../pod-spec/defaults.ts';

export function applyPersistentVolumeDefaults(volume: PersistentVolume): void {
  const { spec } = volume;
  (volume.status ??= {}).phase ||= 'Pending';
  spec.persistentVolumeReclaimPolicy ||= 'Retain';
  spec.volumeMode ??= 'Filesystem';
  defaultVolumeSource(spec);
}

/**
 * What the sources themselves leave open; also for volumes that are attached without an object of
 * their own.
 */
export function defaultVolumeSource(spec: PersistentVolumeSpec): void {
  if (spec.capacity) roundUpResources(spec.capacity);
  if (spec.hostPath) spec.hostPath.type ??= '';
  if (spec.iscsi) spec.iscsi.iscsiInterface ||= 'default';
  if (spec.rbd) {
    spec.rbd.pool ||= 'rbd';
    spec.rbd.user ||= 'admin';
    spec.rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (spec.azureDisk) {
    spec.azureDisk.cachingMode ??= 'ReadWrite';
    spec.azureDisk.kind ??= 'Shared';
    spec.azureDisk.fsType ??= 'ext4';
    spec.azureDisk.readOnly ??= false;
  }
  if (spec.scaleIO) {
    spec.scaleIO.storageMode ||= 'ThinProvisioned';
    spec.scaleIO.fsType ||= 'xfs';
  }
}
