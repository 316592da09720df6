// How far migrations are, as their conditions say, and which of one resource comes next: one runs
// at a time, the oldest first.

import { formatTime, isConditionTrue, withCondition } from '@keelson/apimachinery';
import type { Condition } from '@keelson/apimachinery/types/meta.v1';
import type { StorageVersionMigration } from '@keelson/apimachinery/types/storagemigration.k8s.io.v1beta1';

type Told = Pick<Condition, 'status' | 'reason' | 'message'>;

const isTrue = ({ status }: StorageVersionMigration, type: string) =>
  isConditionTrue(status?.conditions, type);

/** The one to work on: what runs already, or else the oldest that has not ended. */
export function currentMigration(
  ofOneResource: readonly StorageVersionMigration[],
): StorageVersionMigration | undefined {
  const left = ofOneResource.filter(
    (migration) => !isTrue(migration, 'Succeeded') && !isTrue(migration, 'Failed'),
  );
  return left.find(isRunning) ?? left.toSorted(byAge)[0];
}

export function isRunning(migration: StorageVersionMigration): boolean {
  return isTrue(migration, 'Running');
}

function byAge({ metadata: a }: StorageVersionMigration, { metadata: b }: StorageVersionMigration) {
  const timeOf = ({ creationTimestamp }: typeof a) => Date.parse(creationTimestamp ?? '');
  return timeOf(a) - timeOf(b) || ((a.name ?? '') < (b.name ?? '') ? -1 : 1);
}

export function running(
  migration: StorageVersionMigration,
  { resourceVersion, nowMs }: { readonly resourceVersion: string; readonly nowMs: number },
): StorageVersionMigration {
  const told = { status: 'True', reason: 'MigrationRunning', message: 'The migration is running' };
  const next = withTold(migration, [['Running', told]], nowMs);
  return { ...next, status: { ...next.status, resourceVersion } };
}

export function succeeded(
  migration: StorageVersionMigration,
  nowMs: number,
): StorageVersionMigration {
  const told = { status: 'True', reason: 'StorageVersionMigrationSucceeded', message: '' };
  return withTold(migration, [...ended(migration), ['Succeeded', told]], nowMs);
}

export function failed(
  migration: StorageVersionMigration,
  { message, nowMs }: { readonly message: string; readonly nowMs: number },
): StorageVersionMigration {
  const told = { status: 'True', reason: 'StorageVersionMigrationFailed', message };
  return withTold(migration, [...ended(migration), ['Failed', told]], nowMs);
}

function ended(migration: StorageVersionMigration): readonly (readonly [string, Told])[] {
  const told = { status: 'False', reason: 'MigrationCompleted', message: 'Migration completed' };
  return isRunning(migration) ? [['Running', told]] : [];
}

/** Each of them is new, or had another status before. */
function withTold(
  migration: StorageVersionMigration,
  told: readonly (readonly [type: string, told: Told])[],
  nowMs: number,
): StorageVersionMigration {
  const lastTransitionTime = formatTime(nowMs);
  const conditions = told.reduce<Condition[]>(
    (list, [type, one]) => withCondition(list, { type, ...one, lastTransitionTime }),
    migration.status?.conditions ?? [],
  );
  return { ...migration, status: { ...migration.status, conditions } };
}
