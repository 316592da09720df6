// StatefulSets: pods with names, and claims, of their own.

import { copyJson } from '@keelson/apimachinery';
import { roundUpResources } from '../../core/pod-spec/defaults.ts';
import type { StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age } from '../../printing/cells.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { nameIsDns1123Label } from '../../validation/names.ts';
import { claimSpecWarnings } from '../../core/persistentvolumeclaims/claim-spec-warnings.ts';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { dropDisabledPodFields } from '../../core/pod-spec/disabled-fields.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import { containerCells } from '../../core/pod-spec/workload.ts';
import type { Strategy } from '../../strategy.ts';
import { validateStatefulSet, validateStatefulSetStatus } from './validation.ts';

export const statefulSetStrategy: Strategy<StatefulSet> = {
  // Pods are named after the set, and their names are host names.
  nameRule: nameIsDns1123Label,
  applyDefaults,

  prepareForCreate(object, { features }) {
    object.status = { replicas: 0, availableReplicas: 0 };
    startGeneration(object);
    dropDisabledFields(object, undefined, features);
  },
  validate: (object, { features }) => validateStatefulSet(object, features),
  warningsOnCreate: (object, { features }) => warnings(object, features),

  prepareForUpdate(object, old, { features }) {
    object.status = copyJson(old.status);
    dropDisabledFields(object, old, features);
    advanceGeneration(object, old, !isSemanticallyEqual(object.spec, old.spec));
  },
  validateUpdate: (object, old, { features }) => validateStatefulSet(object, features, old),
  warningsOnUpdate: (object, old, { features }) =>
    object.metadata.generation === old.metadata.generation ? [] : warnings(object, features),

  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    `${object.status?.readyReplicas ?? 0}/${object.spec.replicas ?? 0}`,
    age(object, nowMs),
    ...containerCells(object.spec.template),
  ],
  resetFields: [['status']],
  subresources: {
    status: {
      prepareForUpdate(object, old) {
        object.spec = copyJson(old.spec);
      },
      validateUpdate: (object, old) => validateStatefulSetStatus(object, old),
      resetFields: [['spec']],
    },
  },
};

function applyDefaults({ spec, status }: StatefulSet, features: Features): void {
  spec.podManagementPolicy ||= 'OrderedReady';
  const strategy = (spec.updateStrategy ??= {});
  if (!strategy.type) {
    strategy.type = 'RollingUpdate';
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) {
    strategy.rollingUpdate.partition ??= 0;
    if (features.enabled('MaxUnavailableStatefulSet')) strategy.rollingUpdate.maxUnavailable ??= 1;
  }
  if (features.enabled('StatefulSetAutoDeletePVC')) {
    const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
    retention.whenDeleted ||= 'Retain';
    retention.whenScaled ||= 'Retain';
  }
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  defaultPodTemplate(spec.template, features);
  spec.volumeClaimTemplates?.forEach(defaultClaim);
  if (status) status.availableReplicas ??= 0;
}

function defaultClaim(claim: PersistentVolumeClaim): void {
  claim.apiVersion ||= 'v1';
  claim.kind ||= 'PersistentVolumeClaim';
  claim.spec.volumeMode ??= 'Filesystem';
  claim.status ??= {};
  claim.status.phase ||= 'Pending';
  const { limits, requests } = claim.spec.resources ?? {};
  for (const list of [limits, requests, claim.status.capacity]) if (list) roundUpResources(list);
}

function dropDisabledFields(
  { spec }: StatefulSet,
  old: StatefulSet | undefined,
  features: Features,
): void {
  dropDisabledPodFields(spec.template.spec, old?.spec.template.spec, features);
  const isDropped = (gate: string, before: unknown) =>
    !features.enabled(gate) && before === undefined;
  if (isDropped('StatefulSetAutoDeletePVC', old?.spec.persistentVolumeClaimRetentionPolicy)) {
    delete spec.persistentVolumeClaimRetentionPolicy;
  }
  if (isDropped('StatefulSetStartOrdinal', old?.spec.ordinals)) delete spec.ordinals;
  const maxUnavailable = old?.spec.updateStrategy?.rollingUpdate?.maxUnavailable;
  if (isDropped('MaxUnavailableStatefulSet', maxUnavailable)) {
    delete spec.updateStrategy?.rollingUpdate?.maxUnavailable;
  }
}

function warnings({ spec }: StatefulSet, features: Features): string[] {
  const claims = spec.volumeClaimTemplates ?? [];
  const limit = spec.revisionHistoryLimit ?? 0;
  return [
    ...podTemplateWarnings('spec.template', spec.template, features),
    ...claims.flatMap((claim, i) =>
      claimSpecWarnings(`spec.volumeClaimTemplates[${i}]`, claim.spec),
    ),
    ...(limit < 0
      ? [
          'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
        ]
      : []),
  ];
}
