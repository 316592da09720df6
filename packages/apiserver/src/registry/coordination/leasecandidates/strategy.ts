// LeaseCandidates: who would like to hold a lease, and how new they are (KEP-4355). The election
// compares versions, so they must be such.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { LeaseCandidate } from '@keelson/apimachinery/types/coordination.k8s.io.v1beta1';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { immutable, required, type Errors } from '../../validation/checks.ts';
import { configMapKey } from '../../validation/names.ts';
import { coordinatedStrategy, oldestEmulationVersion } from '../coordinated-strategies.ts';
import { compareSemanticVersions, parseSemanticVersion } from './semantic-version.ts';

export const leaseCandidateStrategy: Strategy<LeaseCandidate> = {
  nameRule: (name) => configMapKey(name),
  validate: ({ spec }) => validateSpec(spec),
  validateUpdate: ({ spec }, old) => {
    const errors = validateSpec(spec);
    immutable(errors, 'spec.leaseName', [spec?.leaseName ?? '', old.spec?.leaseName ?? '']);
    return errors;
  },
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  tableCells: ({ spec, ...candidate }, nowMs) => [
    candidate.metadata.name,
    spec?.leaseName ?? '',
    spec?.binaryVersion ?? '',
    spec?.emulationVersion ?? '',
    age(candidate, nowMs),
  ],
};

function validateSpec(spec: LeaseCandidate['spec']): FieldError[] {
  const errors: Errors = [];
  const { leaseName, binaryVersion, emulationVersion, strategy = '' } = spec ?? {};
  required(errors, 'spec.leaseName', leaseName);
  const emulated = version(errors, 'spec.emulationVersion', emulationVersion);
  const hasBinary = required(errors, 'spec.binaryVersion', binaryVersion);
  const binary = hasBinary ? version(errors, 'spec.binaryVersion', binaryVersion) : undefined;
  if (binary && emulated && compareSemanticVersions(binary, emulated) < 0) {
    const why = 'must be greater than or equal to `emulationVersion`';
    errors.push(fieldError.invalid('spec.binaryVersion', binaryVersion, why));
  }
  if (!required(errors, 'spec.strategy', strategy)) return errors;
  if (strategy === oldestEmulationVersion && !emulationVersion) {
    const why = `must be specified when \`strategy\` is '${oldestEmulationVersion}'`;
    errors.push(fieldError.required('spec.emulationVersion', why));
  }
  coordinatedStrategy(errors, 'spec.strategy', strategy);
  return errors;
}

function version(errors: Errors, path: string, text: string | undefined) {
  if (!text) return undefined;
  const parsed = parseSemanticVersion(text);
  if (parsed === undefined)
    errors.push(fieldError.invalid(path, text, 'must be a valid semantic version'));
  return parsed;
}
