// CSIDrivers: what a storage driver wants of Kubernetes.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { CSIDriver, TokenRequest } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { advanceGeneration } from '../../generation.ts';
import { age, unsetText } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { immutable, oneOf } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';

const fsGroupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType'];
const lifecycleModes = ['Persistent', 'Ephemeral'];
const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;
const updatePeriodSecondsMin = 10;

export const csiDriverStrategy: Strategy<CSIDriver> = {
  applyDefaults({ spec }, features) {
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    if (features.enabled('SELinuxMountReadWriteOncePod')) spec.seLinuxMount ??= false;
  },
  prepareForUpdate(driver, old) {
    const changed = (['tokenRequests', 'requiresRepublish', 'seLinuxMount'] as const).some(
      (field) => !isSemanticallyEqual(driver.spec[field], old.spec[field]),
    );
    if (changed) advanceGeneration(driver, old, true);
  },
  validate: validateCsiDriver,
  warningsOnCreate: tokenWarnings,
  validateUpdate: validateCsiDriverUpdate,
  warningsOnUpdate: tokenWarnings,
  allowUnconditionalUpdate: false,
  returnDeletedObject: true,
  tableCells: (driver, nowMs) => [
    driver.metadata.name,
    driver.spec.attachRequired ?? true,
    driver.spec.podInfoOnMount ?? false,
    driver.spec.storageCapacity ?? false,
    driver.spec.tokenRequests?.map(({ audience }) => audience).join(',') ?? unsetText,
    driver.spec.requiresRepublish ?? false,
    (driver.spec.volumeLifecycleModes ?? ['Persistent']).join(','),
    age(driver, nowMs),
  ],
};

function validateCsiDriver({ spec }: CSIDriver): FieldError[] {
  const errors: FieldError[] = [];
  const need = (path: string, value: unknown) => {
    if (value === undefined) errors.push(fieldError.required(path));
  };
  // COMPAT: the misspelt path is Kubernetes' own.
  need('spec.attachedRequired', spec.attachRequired);
  need('spec.podInfoOnMount', spec.podInfoOnMount);
  need('spec.storageCapacity', spec.storageCapacity);
  if (spec.fsGroupPolicy === undefined) errors.push(fieldError.required('spec.fsGroupPolicy'));
  else oneOf(errors, 'spec.fsGroupPolicy', spec.fsGroupPolicy, fsGroupPolicies);
  checkTokenRequests(errors, spec.tokenRequests);
  for (const mode of spec.volumeLifecycleModes ?? []) {
    oneOf(errors, 'spec.volumeLifecycleModes', mode, lifecycleModes);
  }
  checkUpdatePeriod(errors, spec);
  return errors;
}

function checkUpdatePeriod(errors: FieldError[], spec: CSIDriver['spec']): void {
  const seconds = spec.nodeAllocatableUpdatePeriodSeconds;
  if (seconds === undefined || seconds >= updatePeriodSecondsMin) return;
  const why = `must be greater than or equal to ${updatePeriodSecondsMin} seconds`;
  errors.push(fieldError.invalid('spec.nodeAllocatableUpdatePeriodSeconds', seconds, why));
}

function checkTokenRequests(
  errors: FieldError[],
  requests: readonly TokenRequest[] | undefined,
): void {
  const seen = new Set<string>();
  requests?.forEach(({ audience, expirationSeconds: seconds }, i) => {
    const path = `spec.tokenRequests[${i}]`;
    if (seen.has(audience)) {
      errors.push(fieldError.duplicate(`${path}.audience`, audience));
      return;
    }
    seen.add(audience);
    if (seconds === undefined) return;
    const refuse = (why: string) => {
      errors.push(fieldError.invalid(`${path}.expirationSeconds`, seconds, why));
    };
    if (seconds < tokenSecondsMin) refuse('may not specify a duration less than 10 minutes');
    if (seconds > tokenSecondsMax) refuse('may not specify a duration larger than 2^32 seconds');
  });
}

function validateCsiDriverUpdate({ spec }: CSIDriver, { spec: old }: CSIDriver): FieldError[] {
  const errors: FieldError[] = [];
  immutable(errors, 'spec.attachedRequired', [spec.attachRequired, old.attachRequired]);
  const modes = [spec.volumeLifecycleModes, old.volumeLifecycleModes] as const;
  immutable(errors, 'spec.volumeLifecycleModes', modes);
  checkTokenRequests(errors, spec.tokenRequests);
  checkUpdatePeriod(errors, spec);
  return errors;
}

function tokenWarnings({ spec }: CSIDriver): string[] {
  if (!spec.tokenRequests?.length || spec.serviceAccountTokenInSecrets !== undefined) return [];
  return [
    'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
  ];
}
