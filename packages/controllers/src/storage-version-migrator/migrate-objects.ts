// Writes all objects of a resource again as they are, so that they are stored as objects are stored
// today. The write is an empty server-side apply that carries uid and resource version: whoever was
// changed, deleted or replaced meanwhile is a conflict, and needs no migration any more.

import {
  asKubeObject,
  formatApiVersion,
  isStatusError,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Client, DiscoveredResource, ListOf } from '@keelson/client';

export interface ObjectMigration {
  readonly client: Client;
  readonly resource: DiscoveredResource;
  /** What was written later is left alone: it is stored as it should be. */
  readonly resourceVersion: string;
  readonly fieldManager: string;
  /** Asked before every page; false ends the work. */
  readonly isWanted: () => boolean;
}

/** A resource version that cannot be compared with others; no retry helps. */
export class ResourceVersionError extends Error {
  constructor(resourceVersion: string) {
    super(`resource version is not well formed: ${resourceVersion}`);
    this.name = 'ResourceVersionError';
  }
}

/** Metadata of so many objects is held at a time. */
const pageSize = 500;

/**
 * Throws what the API refused, at the first object that it refused; a later call finds those that
 * were written already newer than the resource version.
 */
export async function migrateObjects(
  migration: ObjectMigration,
  signal: AbortSignal,
): Promise<void> {
  const checkpoint = comparable(migration.resourceVersion);
  let token: string | undefined;
  do {
    if (!migration.isWanted()) return;
    const page = await listPage(migration, token, signal);
    for (const { metadata } of page.items)
      if (comparable(metadata.resourceVersion ?? '') <= checkpoint)
        await rewrite(migration, metadata, signal);
    token = page.metadata.continue;
  } while (token);
}

async function listPage(
  { client, resource }: ObjectMigration,
  token: string | undefined,
  signal: AbortSignal,
): Promise<ListOf<KubeObject>> {
  const objects = client.metadata(resource);
  const options = { limit: pageSize, signal };
  if (token === undefined) return objects.list(options);
  try {
    return await objects.list({ ...options, continue: token });
  } catch (error) {
    // The migration took longer than history is kept. Objects that came since need no migration, so
    // a list that is not of one moment will do.
    const next = isStatusError(error, 'Expired') ? error.status.metadata.continue : undefined;
    if (!next) throw error;
    return objects.list({ ...options, continue: next });
  }
}

async function rewrite(
  { client, resource, fieldManager }: ObjectMigration,
  { namespace = '', name, uid, resourceVersion }: KubeObject['metadata'],
  signal: AbortSignal,
): Promise<void> {
  const metadata = { name, ...(namespace !== '' && { namespace }), uid, resourceVersion };
  const patch = asKubeObject({
    apiVersion: formatApiVersion(resource),
    kind: resource.kind,
    metadata,
  });
  try {
    await client.resource(resource).namespace(namespace).apply(patch, { fieldManager, signal });
  } catch (error) {
    if (!isStatusError(error, 'Conflict')) throw error;
  }
}

function comparable(resourceVersion: string): bigint {
  if (!/^[1-9][0-9]*$/.test(resourceVersion)) throw new ResourceVersionError(resourceVersion);
  return BigInt(resourceVersion);
}
