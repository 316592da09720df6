// StorageVersionMigrations: the wish that all objects of a resource be written again, in the version
// in which they are stored today (KEP-4192), and how far that is.

import { fieldError, findCondition, type FieldError } from '@keelson/apimachinery';
import type { StorageVersionMigration } from '@keelson/apimachinery/types/storagemigration.k8s.io.v1beta1';
import { internalValue } from '../../internal-form/internal-value.ts';
import { keepMetadata } from '../../status-metadata.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { immutable, required, type Errors } from '../../validation/checks.ts';
import { conditions } from '../../validation/conditions.ts';
import { dns1035Label, dns1123Subdomain } from '../../validation/names.ts';

const specType = 'io.k8s.api.storagemigration.v1beta1.StorageVersionMigrationSpec';
const status: SubresourceStrategy<StorageVersionMigration> = {
  prepareForUpdate(migration, old) {
    migration.spec = old.spec;
    keepMetadata(migration, old);
  },
  validateUpdate: validateStatus,
  resetFields: [['metadata'], ['spec']],
};

export const storageVersionMigrationStrategy: Strategy<StorageVersionMigration> = {
  prepareForCreate(migration) {
    migration.status = {};
  },
  prepareForUpdate(migration, old) {
    if (old.status !== undefined) migration.status = old.status;
  },
  validate: validateMigration,
  validateUpdate(migration, old) {
    const errors = validateMigration(migration);
    const shown = (of: unknown) => internalValue(specType, of);
    immutable(errors, 'spec', [shown(migration.spec), shown(old.spec)]);
    return errors;
  },
  allowUnconditionalUpdate: false,
  tableCells: (migration) => [
    migration.metadata.name ?? '',
    resourceText(migration),
    progressText(migration),
  ],
  resetFields: [['status']],
  subresources: { status },
};

function validateMigration({ spec }: StorageVersionMigration): Errors {
  const errors: Errors = [];
  const { group = '', resource = '' } = spec?.resource ?? {};
  const path = 'spec.resource';
  if (required(errors, `${path}.resource`, resource, 'resource is required to be set'))
    joined(errors, `${path}.resource`, resource, dns1035Label(resource));
  if (group !== '') joined(errors, `${path}.group`, group, dns1123Subdomain(group));
  return errors;
}

/** All that is wrong with a value in one error. */
function joined(errors: Errors, path: string, value: string, sentences: readonly string[]): void {
  if (sentences.length > 0) errors.push(fieldError.invalid(path, value, sentences.join(',')));
}

const succeeded = 'Succeeded';
const failed = 'Failed';
const running = 'Running';

function validateStatus(
  migration: StorageVersionMigration,
  old: StorageVersionMigration,
): FieldError[] {
  const errors: Errors = [];
  const revision = migration.status?.resourceVersion ?? '';
  const before = old.status?.resourceVersion ?? '';
  const path = 'status.resourceVersion';
  const problem = resourceVersionProblem(revision);
  if (problem !== undefined) errors.push(fieldError.invalid(path, revision, problem));
  conditions(errors, 'status.conditions', migration.status?.conditions);
  if (before !== '') immutable(errors, path, [revision, before]);
  const list = migration.status?.conditions ?? [];
  const refuse = (why: string) => errors.push(fieldError.invalid('status.conditions', list, why));
  const is = (type: string) => hasTrue(migration, type);
  if (is(succeeded) && is(failed))
    refuse('Both success and failed conditions cannot be true at the same time');
  if (is(succeeded) && is(running))
    refuse('Running condition cannot be true when success condition is true');
  if (is(failed) && is(running))
    refuse('Running condition cannot be true when failed condition is true');
  if (hasTrue(old, succeeded) && !is(succeeded))
    refuse('Success condition cannot be set to false once it is true');
  if (hasTrue(old, failed) && !is(failed))
    refuse('Failed condition cannot be set to false once it is true');
  return errors;
}

/** None yet, or one that can be compared: a whole number without leading zeros. */
function resourceVersionProblem(text: string): string | undefined {
  if (text === '' || /^[1-9][0-9]*$/.test(text)) return undefined;
  return `resource version is not well formed: ${text}`;
}

function hasTrue({ status: now }: StorageVersionMigration, type: string): boolean {
  return findCondition(now?.conditions, type)?.status === 'True';
}

/** `deployments.apps`, `pods`. */
function resourceText({ spec }: StorageVersionMigration): string {
  const { group = '', resource = '' } = spec?.resource ?? {};
  return group === '' ? resource : `${resource}.${group}`;
}

function progressText(migration: StorageVersionMigration): string {
  const known = [running, failed, succeeded];
  const list = migration.status?.conditions ?? [];
  return list.findLast((c) => c.status === 'True' && known.includes(c.type))?.type ?? 'Unknown';
}
