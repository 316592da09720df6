// Carries out StorageVersionMigrations (KEP-4192): all objects of a resource are written again as
// they are, so that none is left in an old version, an old form or under an old key. The steps of
// one migration, each of which may be the last before a restart:
//
//   begin   the definition of a custom resource says StorageMigrating; then the migration says
//           Running, and from which resource version on objects are stored as they should be
//   run     every older object is written again
//   end     the definition says so, and forgets versions in which nothing is stored any more; then
//           the migration says Succeeded or Failed, which never changes again

import { formatGroupResource, isStatusError, type GroupResource } from '@keelson/apimachinery';
import type { StorageVersionMigration } from '@keelson/apimachinery/types/storagemigration.k8s.io.v1beta1';
import type { DiscoveredResource, Informer, ResourceClient } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { preferredResources } from '../machinery/preferred-resources.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { requeueLater, type ReconcileResult } from '../machinery/run-controller.ts';
import { migrateObjects, ResourceVersionError } from './migrate-objects.ts';
import { tellMigrationEnded, tellMigrationRuns } from './migrating-definition.ts';
import { currentMigration, failed, isRunning, running, succeeded } from './migration-state.ts';

const component = 'storage-version-migrator-controller';
/** Resources whose objects are written again at a time. */
const workers = 5;
/** A definition that was created with its migration may be served a little later. */
const servedWithinMs = 60_000;
const byResource = 'resource';
const migrationsResource = {
  group: 'storagemigration.k8s.io',
  version: 'v1beta1',
  resource: 'storageversionmigrations',
};

interface Tools {
  readonly context: ControllerContext;
  readonly migrations: Informer<StorageVersionMigration>;
  readonly resource: ResourceClient<StorageVersionMigration>;
}

export function createStorageVersionMigratorController(context: ControllerContext): Controller {
  const migrations = context.informers.informer<StorageVersionMigration>(migrationsResource);
  const keyOf = (migration: StorageVersionMigration) => formatGroupResource(resourceOf(migration));
  migrations.addIndex(byResource, (migration) => [keyOf(migration)]);
  const tools: Tools = {
    context,
    migrations,
    resource: context.client.resource(migrationsResource),
  };
  return createReconciler(context, {
    failure: 'storage version not migrated',
    queue: component,
    workers,
    reads: [migrations],
    subscribe(queue) {
      const enqueue = (migration: StorageVersionMigration) => queue.add(keyOf(migration));
      return [migrations.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue })];
    },
    async reconcile(key, signal) {
      const migration = currentMigration(migrations.store.byIndex(byResource, key));
      if (migration === undefined) return;
      try {
        const step = isRunning(migration) ? run : begin;
        return await step(tools, migration, signal);
      } catch (error) {
        if (!isFinal(error)) throw error;
        const message = `migration encountered unhandled error: ${errorText(error)}`;
        return await end(tools, migration, { failure: message, signal });
      }
    },
  });
}

function resourceOf({ spec }: StorageVersionMigration): GroupResource {
  const { group = '', resource = '' } = spec.resource;
  return { group, resource };
}

async function begin(
  tools: Tools,
  migration: StorageVersionMigration,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { client, clock } = tools.context;
  const served = await findServed(tools, migration, signal);
  if (served === 'perhaps later') return requeueLater;
  if (served === undefined) {
    const failure = 'resource does not exist in discovery';
    return end(tools, migration, { failure, signal });
  }
  const { name = '' } = migration.metadata;
  await tellMigrationRuns(tools.context, { resource: resourceOf(migration), name }, signal);
  const { metadata } = await client.metadata(served).list({ limit: 1, signal });
  const { resourceVersion = '' } = metadata;
  await write(tools, running(migration, { resourceVersion, nowMs: clock.now() }), signal);
}

async function run(
  tools: Tools,
  migration: StorageVersionMigration,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { name = '', uid } = migration.metadata;
  const { client } = tools.context;
  const served = await findServed(tools, migration, signal);
  if (served === 'perhaps later') return requeueLater;
  if (served === undefined) {
    const failure = 'migration encountered unhandled error: unable to obtain GVR from discovery';
    return end(tools, migration, { failure, signal });
  }
  const isWanted = () => tools.migrations.store.get('', name)?.metadata.uid === uid;
  const { resourceVersion = '' } = migration.status ?? {};
  await migrateObjects(
    { client, resource: served, resourceVersion, fieldManager: component, isWanted },
    signal,
  );
  if (isWanted()) await end(tools, migration, { signal });
}

/** Without `failure`: it has succeeded. */
async function end(
  tools: Tools,
  migration: StorageVersionMigration,
  { failure, signal }: { readonly failure?: string; readonly signal: AbortSignal },
): Promise<void> {
  const { context } = tools;
  const resource = resourceOf(migration);
  const nowMs = context.clock.now();
  const isSuccess = failure === undefined;
  await tellMigrationEnded(context, { resource, succeeded: isSuccess }, signal);
  const told = isSuccess
    ? succeeded(migration, nowMs)
    : failed(migration, { message: failure, nowMs });
  await write(tools, told, signal);
}

async function write(
  { resource }: Tools,
  migration: StorageVersionMigration,
  signal: AbortSignal,
): Promise<void> {
  try {
    await resource.update(migration, { subresource: 'status', signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}

/** In the version that the server prefers. */
async function findServed(
  { context: { client, clock } }: Tools,
  migration: StorageVersionMigration,
  signal: AbortSignal,
): Promise<DiscoveredResource | 'perhaps later' | undefined> {
  const api = await client.discovery.fetch(signal);
  const wanted = resourceOf(migration);
  const found = preferredResources(api, []).find(
    ({ group, resource }) => group === wanted.group && resource === wanted.resource,
  );
  if (found !== undefined) return found;
  // A group whose server does not answer is not gone.
  const isStale = api.stale.some(({ group }) => group === wanted.group);
  const ageMs = clock.now() - Date.parse(migration.metadata.creationTimestamp ?? '');
  return isStale || ageMs < servedWithinMs ? 'perhaps later' : undefined;
}

const transient = new Set([
  'Conflict',
  'InternalError',
  'ServerTimeout',
  'ServiceUnavailable',
  'Timeout',
  'TooManyRequests',
]);

/** Whether trying again is of no use. */
function isFinal(error: unknown): boolean {
  if (error instanceof ResourceVersionError) return true;
  return isStatusError(error) && !transient.has(error.status.reason ?? '');
}
