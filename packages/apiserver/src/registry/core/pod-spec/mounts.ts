// Where a container sees the volumes of its pod: mounted as folders, or as raw block devices.

import { fieldError } from '@keelson/apimachinery';
import type { Container, VolumeDevice, VolumeMount } from '@keelson/apimachinery/types/core.v1';
import { oneOf, required, type Errors } from '../../validation/checks.ts';
import { localDescendingPath } from '../../validation/paths.ts';
import type { AnyContainer } from './visit-containers.ts';
import type { PodSpecScope } from './scope.ts';

type Mounted = Pick<Container, 'volumeMounts' | 'volumeDevices' | 'securityContext'>;

export function volumeMounts(
  errors: Errors,
  path: string,
  container: Mounted,
  scope: PodSpecScope,
): void {
  const devices = container.volumeDevices ?? [];
  const seen = new Set<string>();
  (container.volumeMounts ?? []).forEach((mount, i) => {
    const at = `${path}[${i}]`;
    required(errors, `${at}.name`, mount.name);
    if (!scope.volumes.has(mount.name)) {
      errors.push(fieldError.notFound(`${at}.name`, mount.name));
    }
    required(errors, `${at}.mountPath`, mount.mountPath);
    const refuse = (field: 'name' | 'mountPath', why: string) =>
      errors.push(fieldError.invalid(`${at}.${field}`, mount[field], why));
    if (seen.has(mount.mountPath)) refuse('mountPath', 'must be unique');
    seen.add(mount.mountPath);
    if (devices.some((d) => d.name === mount.name)) {
      refuse('name', 'must not already exist in volumeDevices');
    }
    if (devices.some((d) => d.devicePath === mount.mountPath)) {
      refuse('mountPath', 'must not already exist as a path in volumeDevices');
    }
    subPaths(errors, path, [mount, at]);
    if (mount.mountPropagation !== undefined) {
      mountPropagation(errors, `${path}.mountPropagation`, mount.mountPropagation, container);
    }
    recursiveReadOnly(errors, `${path}.recursiveReadOnly`, mount);
  });
}

// COMPAT: sub paths, propagation and recursive read-only are reported at the path of the list.
function subPaths(
  errors: Errors,
  listPath: string,
  [mount, path]: readonly [VolumeMount, string],
): void {
  const { subPath = '', subPathExpr = '' } = mount;
  if (subPath !== '') localDescendingPath(errors, `${listPath}.subPath`, subPath);
  if (subPathExpr === '') return;
  if (subPath !== '') {
    const why = 'subPathExpr and subPath are mutually exclusive';
    errors.push(fieldError.invalid(`${path}.subPathExpr`, subPathExpr, why));
  }
  localDescendingPath(errors, `${listPath}.subPathExpr`, subPathExpr);
}

const propagationModes = ['Bidirectional', 'HostToContainer', 'None'];

function mountPropagation(errors: Errors, path: string, mode: string, container: Mounted): void {
  oneOf(errors, path, mode, propagationModes);
  if (mode === 'Bidirectional' && container.securityContext?.privileged !== true) {
    const why = 'Bidirectional mount propagation is available only to privileged containers';
    errors.push(fieldError.forbidden(path, why));
  }
}

const recursiveReadOnlyModes = ['Disabled', 'Enabled', 'IfPossible'];

function recursiveReadOnly(errors: Errors, path: string, mount: VolumeMount): void {
  const mode = mount.recursiveReadOnly;
  if (mode === undefined || mode === 'Disabled') return;
  if (!oneOf(errors, path, mode, recursiveReadOnlyModes)) return;
  if (mount.readOnly !== true) {
    errors.push(fieldError.forbidden(path, 'may only be specified when readOnly is true'));
  }
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') {
    const why = 'may only be specified when mountPropagation is None or not specified';
    errors.push(fieldError.forbidden(path, why));
  }
}

export function volumeDevices(
  errors: Errors,
  path: string,
  container: Pick<AnyContainer, 'volumeDevices' | 'volumeMounts'>,
  scope: PodSpecScope,
): void {
  const mounts = container.volumeMounts ?? [];
  const names = new Set<string>();
  const paths = new Set<string>();
  (container.volumeDevices ?? []).forEach((device, i) => {
    const at = `${path}[${i}]`;
    const refuse = (field: keyof VolumeDevice, why: string) =>
      errors.push(fieldError.invalid(`${at}.${field}`, device[field], why));
    required(errors, `${at}.name`, device.name);
    if (names.has(device.name)) refuse('name', 'must be unique');
    const volume = scope.volumes.get(device.name);
    if (!volume) errors.push(fieldError.notFound(`${at}.name`, device.name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      refuse(
        'name',
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      );
    }
    required(errors, `${at}.devicePath`, device.devicePath);
    if (paths.has(device.devicePath)) refuse('devicePath', 'must be unique');
    if (device.devicePath.split('/').includes('..')) {
      refuse('devicePath', "can not contain backsteps ('..')");
    } else paths.add(device.devicePath);
    if (mounts.some((m) => m.name === device.name)) {
      refuse('name', 'must not already exist in volumeMounts');
    }
    if (mounts.some((m) => m.mountPath === device.devicePath)) {
      refuse('devicePath', 'must not already exist as a path in volumeMounts');
    }
    if (device.name !== '') names.add(device.name);
  });
}
