// Directories and files of the node, for pods and PersistentVolumes.

import type { HostPathVolumeSource } from '@keelson/apimachinery/types/core.v1';
import { oneOf, required, type Errors } from '../../validation/checks.ts';
import { noBacksteps } from '../../validation/paths.ts';

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

export function hostPath(errors: Errors, path: string, source: HostPathVolumeSource): void {
  if (!required(errors, `${path}.path`, source.path)) return;
  noBacksteps(errors, `${path}.path`, source.path);
  if (source.type !== undefined) oneOf(errors, `${path}.type`, source.type, hostPathTypes);
}
