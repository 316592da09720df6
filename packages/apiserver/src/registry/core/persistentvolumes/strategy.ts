// PersistentVolumes.

import { formatTime } from '@keelson/apimachinery';
import type { PersistentVolume } from '@keelson/apimachinery/types/core.v1';
import { age, unsetText } from '../../printing/cells.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { accessModesText } from './access-modes.ts';
import { applyPersistentVolumeDefaults } from './defaults.ts';
import { validatePersistentVolume, validatePersistentVolumeChange } from './validation.ts';
import { persistentVolumeWarnings, storageClassAnnotation } from './warnings.ts';

const status: SubresourceStrategy<PersistentVolume> = {
  prepareForUpdate(volume, old, { nowMs }) {
    volume.spec = old.spec;
    const { status: now = {} } = volume;
    const before = old.status ?? {};
    const samePhase = now.phase === before.phase;
    const since = now.lastPhaseTransitionTime;
    if (samePhase && !since && before.lastPhaseTransitionTime)
      volume.status = { ...now, lastPhaseTransitionTime: before.lastPhaseTransitionTime };
    if (samePhase || (since && since !== before.lastPhaseTransitionTime)) return;
    volume.status = { ...now, lastPhaseTransitionTime: formatTime(nowMs) };
  },
  resetFields: [['spec']],
};

export const persistentVolumeStrategy: Strategy<PersistentVolume> = {
  applyDefaults: applyPersistentVolumeDefaults,
  prepareForCreate(volume, { nowMs }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: formatTime(nowMs) };
  },
  prepareForUpdate(volume, old) {
    if (old.status) volume.status = old.status;
  },
  validate: validatePersistentVolume,
  warningsOnCreate: persistentVolumeWarnings,
  validateUpdate: (volume, old) => [
    // COMPAT: Kubernetes validates twice here and reports every finding twice.
    ...validatePersistentVolume(volume),
    ...validatePersistentVolumeChange(volume, old),
  ],
  warningsOnUpdate: persistentVolumeWarnings,
  returnDeletedObject: true,
  tableCells(volume, nowMs) {
    const { metadata, spec } = volume;
    const { namespace = '', name = '' } = spec.claimRef ?? {};
    return [
      metadata.name,
      spec.capacity?.['storage'] ?? '0',
      accessModesText(spec.accessModes),
      spec.persistentVolumeReclaimPolicy ?? '',
      metadata.deletionTimestamp ? 'Terminating' : (volume.status?.phase ?? ''),
      spec.claimRef ? `${namespace}/${name}` : '',
      metadata.annotations?.[storageClassAnnotation] ?? spec.storageClassName ?? '',
      spec.volumeAttributesClassName ?? unsetText,
      volume.status?.reason ?? '',
      age(volume, nowMs),
      spec.volumeMode ?? unsetText,
    ];
  },
  resetFields: [['status']],
  subresources: { status },
};
