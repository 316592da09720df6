// Answers with one object of a resource in the shape the client negotiated: the object itself, its
// metadata only, or a table of one row.

import { encodeProtobufEnvelope, type KubeObject } from '@keelson/apimachinery';
import type { StoredEntry } from '../storage/storage.ts';
import { storedJson, storedProtobufMessage } from './encoding.ts';
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
        ? tableOf(request, [shown], { list: { metadata: object.metadata.resourceVersion }, format })
        : partialObject(internalForm(endpoint, shown), format.asVersion);
    return respondObject(context, shaped, code, format);
  }
  const entry = sendableEntry(endpoint, options.entry);
  const stored = entry && storedBytes(request, entry, format);
  if (stored !== undefined) respondBytes(context, stored, code, format.mediaType);
  else respondObject(context, object, code, format);
}

/** The bytes that a stored object has already, in the media types that are kept. */
function storedBytes(
  { endpoint }: ResourceRequest,
  entry: StoredEntry,
  format: OutputFormat,
): Uint8Array | undefined {
  const { apiVersion = '', kind = '' } = entry.object;
  if (format.mediaType === 'application/json' && !format.pretty)
    return storedJson(entry, apiVersion);
  if (format.mediaType !== 'application/vnd.kubernetes.protobuf') return undefined;
  const message = storedProtobufMessage(entry, endpoint.definition.type, apiVersion);
  return encodeProtobufEnvelope({ apiVersion, kind }, message);
}
