// GET of one object, of its status, or of a projection such as scale.

import { statusErrors } from '@keelson/apimachinery';
import { plainError, tooLargeResourceVersion } from '../../registry/storage-errors.ts';
import { storageKey } from '../../registry/store-types.ts';
import type { StoredEntry } from '../../storage/storage.ts';
import { toServed, untilRevision, type ResourceRequest } from '../resource-request.ts';
import { respondResource } from '../respond-resource.ts';

export async function getResource(request: ResourceRequest): Promise<void> {
  const { endpoint } = request;
  if (endpoint.readHandler !== undefined)
    return respondResource(request, await endpoint.readHandler.get(request.name), 200);
  const entry = await readEntry(request, request.context.info.query.get('resourceVersion') ?? '');
  const object = await toServed(endpoint, entry.object);
  const projection = endpoint.projections.get(request.subresource);
  if (projection !== undefined) return respondResource(request, projection.project(object), 200);
  respondResource(request, object, 200, { entry });
}

/**
 * The object's current state; throws 404, and 504 when the client wants a revision that is not
 * there yet.
 */
export async function readEntry(
  request: ResourceRequest,
  resourceVersion = '',
): Promise<StoredEntry> {
  const { endpoint, name, namespace } = request;
  const scope = endpoint.scope;
  if (scope === undefined) throw statusErrors.notFound(endpoint.definition, name);
  if (resourceVersion !== '' && resourceVersion !== '0') {
    if (!/^\d+$/.test(resourceVersion))
      throw plainError(
        `resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`,
      );
    await untilRevision(request, resourceVersion);
    if (Number(resourceVersion) > scope.storage.revision())
      throw tooLargeResourceVersion(resourceVersion, scope.storage.revision());
  }
  const entry = await scope.storage.get(storageKey(scope, namespace, name));
  if (entry === undefined) throw statusErrors.notFound(endpoint.definition, name);
  return entry;
}
