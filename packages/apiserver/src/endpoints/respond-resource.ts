// Answers with one object of a resource in the shape the client negotiated: the object itself, its
// metadata only, or a table of one row.

import type { KubeObject } from '@keelson/apimachinery';
import type { StoredEntry } from '../storage/storage.ts';
import { storedJson } from './encoding.ts';
import { internalForm } from './internal-object.ts';
import { negotiateOutput, type OutputFormat } from './negotiation.ts';
import { assertShape, partialObject } from './partial-metadata.ts';
import { sendableEntry, type ResourceRequest } from './resource-request.ts';
import { respondBytes, respondObject } from './respond.ts';
import { tableOf } from './table.ts';

/**
 * `entry` is given when `object` is exactly what is stored. The object is of the served version.
 */
export function respondResource(
  request: ResourceRequest,
  object: KubeObject,
  code: number,
  options: { readonly entry?: StoredEntry | undefined; readonly format?: OutputFormat } = {},
): void {
  const { context, endpoint } = request;
  const format = options.format ?? negotiateOutput(context, endpoint.custom);
  const isStatus = object.kind === 'Status' && object.apiVersion === 'v1';
  if (format.as !== '' && !isStatus) {
    assertShape(request, format, false);
    const shown = { stored: options.entry?.object ?? object, served: object };
    const shaped =
      format.as === 'Table'
        ? tableOf(request, [shown], { metadata: object.metadata.resourceVersion }, format)
        : partialObject(internalForm(endpoint, shown), format.asVersion);
    return respondObject(context, shaped, code, format);
  }
  const entry = sendableEntry(endpoint, options.entry);
  if (entry !== undefined && format.mediaType === 'application/json' && !format.pretty)
    return respondBytes(
      context,
      storedJson(entry, object.apiVersion ?? ''),
      code,
      'application/json',
    );
  respondObject(context, object, code, format);
}
