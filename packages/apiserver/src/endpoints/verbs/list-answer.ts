// What a list is answered as: JSON and protobuf are put together from the bytes that the stored
// objects already have; other shapes (tables, metadata, converted objects) are made for the answer,
// piece by piece, so that others get their turn in between.

import {
  encodeJson,
  encodeProtobufList,
  encodeProtobufMessage,
  formatApiVersion,
  nextTurn,
  type KubeObject,
  type ListMeta,
} from '@keelson/apimachinery';
import type { ResourceEndpoint } from '../../registry/resource-endpoint.ts';
import type { StoredEntry } from '../../storage/storage.ts';
import {
  encodeOutput,
  jsonHead,
  protobufType,
  storedJson,
  storedJsonItem,
  storedProtobufMessage,
} from '../encoding.ts';
import { internalForm, type ShownObject } from '../internal-object.ts';
import type { OutputFormat } from '../negotiation.ts';
import { assertShape, partialObject } from '../partial-metadata.ts';
import { toServed, type ResourceRequest } from '../resource-request.ts';
import { respondParts } from '../respond-parts.ts';
import { respondBytes } from '../respond.ts';
import { tableOf } from '../table.ts';
import type { Page } from './list.ts';

export async function respondList(
  request: ResourceRequest,
  page: Page,
  format: OutputFormat,
): Promise<void> {
  const { endpoint } = request;
  if (
    format.mediaType === 'application/json' &&
    format.as === '' &&
    !format.pretty &&
    endpoint.conversion === undefined
  )
    return respondJsonList(request, page);
  if (
    format.mediaType === 'application/vnd.kubernetes.protobuf' &&
    format.as === '' &&
    endpoint.conversion === undefined
  )
    return respondProtobufList(request, page);
  assertShape(request, format, true);
  if (page.entries.length > objectsPerTurn) {
    if (format.mediaType === 'application/json' && !format.pretty)
      return respondSlices(request, page, format);
    if (format.mediaType === 'application/vnd.kubernetes.protobuf' && format.as !== 'Table')
      return respondProtobufSlices(request, page, format);
  }
  respondShaped(request, await shownObjects(request, page.entries), page, format);
}

async function shownObjects(
  { endpoint }: ResourceRequest,
  entries: readonly StoredEntry[],
): Promise<ShownObject[]> {
  const objects: ShownObject[] = [];
  for (const { object } of entries)
    objects.push({ stored: object, served: await toServed(endpoint, object) });
  return objects;
}

/** Of converted objects, rows of tables and the like, which are made for this answer alone. */
const objectsPerTurn = 100;

/** A list in any shape as JSON, made piece by piece: others get their turn in between. */
async function respondSlices(
  request: ResourceRequest,
  page: Page,
  format: OutputFormat,
): Promise<void> {
  const field = format.as === 'Table' ? 'rows' : 'items';
  let head: Uint8Array | undefined;
  const slices: Uint8Array[] = [];
  for (let from = 0; from < page.entries.length; from += objectsPerTurn) {
    if (from > 0) await nextTurn();
    const objects = await shownObjects(request, page.entries.slice(from, from + objectsPerTurn));
    const { [field]: items, ...rest } = shapeList(request, objects, page, format);
    // The items are the last field of every list: what comes before them is the same each time.
    head ??= Buffer.concat([withoutEnd(encodeJson(rest), '}'), Buffer.from(`,"${field}":[`)]);
    slices.push(withoutEnd(encodeJson(items), ']').subarray(1));
  }
  const start = head ?? Buffer.alloc(0);
  const commas = slices.length - 1;
  return respondParts(request.context, format.mediaType, {
    size: start.length + slices.reduce((sum, s) => sum + s.length, commas) + listEnd.length,
    *parts() {
      yield start;
      for (const [i, slice] of slices.entries()) {
        if (i > 0) yield comma;
        yield slice;
      }
      yield listEnd;
    },
  });
}

/** The same as protobuf, which tables do not have. */
async function respondProtobufSlices(
  request: ResourceRequest,
  page: Page,
  format: OutputFormat,
): Promise<void> {
  const messages: Uint8Array[] = [];
  let gvk = { apiVersion: '', kind: '' };
  for (let from = 0; from < page.entries.length; from += objectsPerTurn) {
    if (from > 0) await nextTurn();
    const objects = await shownObjects(request, page.entries.slice(from, from + objectsPerTurn));
    const list = shapeList(request, objects, page, format);
    gvk = { apiVersion: list.apiVersion ?? '', kind: list.kind ?? '' };
    const type = protobufType({ ...list, kind: gvk.kind.replace(/List$/, '') });
    for (const item of list['items'] as KubeObject[])
      messages.push(encodeProtobufMessage(item, type));
  }
  const body = encodeProtobufList(gvk, listMeta(page), messages);
  return respondParts(request.context, format.mediaType, body);
}

const comma = Buffer.from(',');

/** Cut before the last brace and the end of the line. */
function withoutEnd(json: Uint8Array, brace: '}' | ']'): Uint8Array {
  return json.subarray(0, json.lastIndexOf(brace.charCodeAt(0)));
}

export function respondShaped(
  request: ResourceRequest,
  objects: readonly ShownObject[],
  page: Page,
  format: OutputFormat,
): void {
  const list = shapeList(request, objects, page, format);
  respondBytes(request.context, encodeOutput(list, format), 200, format.mediaType);
}

/** The list in the shape that the client wants. */
export function shapeList(
  request: ResourceRequest,
  objects: readonly ShownObject[],
  page: Page,
  format: OutputFormat,
): KubeObject {
  const rv = page.revision === 0 ? '' : String(page.revision);
  if (format.as === 'Table')
    return tableOf(request, objects, {
      list: { metadata: rv, continue: page.continue, remainingItemCount: page.remaining },
      format,
    });
  const { endpoint } = request;
  const { definition, custom } = endpoint;
  const metadata = listMeta(page) as KubeObject['metadata'];
  if (format.as !== '')
    return {
      kind: 'PartialObjectMetadataList',
      apiVersion: `meta.k8s.io/${format.asVersion || 'v1'}`,
      metadata,
      items: objects.map((o) => partialObject(internalForm(endpoint, o), format.asVersion)),
    };
  const apiVersion = formatApiVersion(definition);
  const kind = listKindOf(endpoint);
  if (custom) {
    const items = objects.map(({ served }) => served);
    return { kind, apiVersion, metadata: customListMeta(page) as KubeObject['metadata'], items };
  }
  return { kind, apiVersion, metadata, items: objects.map(({ served }) => withoutKind(served)) };
}

function listKindOf({ definition, listKind = '' }: ResourceEndpoint): string {
  return listKind === '' ? `${definition.kind}List` : listKind;
}

function withoutKind({ kind: _kind, apiVersion: _apiVersion, ...rest }: KubeObject): KubeObject {
  return rest as KubeObject;
}

function listMeta(page: Page): ListMeta {
  return {
    ...(page.revision === 0 ? {} : { resourceVersion: String(page.revision) }),
    ...(page.continue === '' ? {} : { continue: page.continue }),
    ...(page.remaining ? { remainingItemCount: page.remaining } : {}),
    ...(page.shardSelector === undefined ? {} : { shardInfo: { selector: page.shardSelector } }),
  };
}

/** COMPAT: lists of custom resources say that there is no more. */
function customListMeta(page: Page): ListMeta {
  return { continue: '', ...listMeta(page) };
}

async function respondProtobufList(request: ResourceRequest, page: Page): Promise<void> {
  const { definition } = request.endpoint;
  const apiVersion = formatApiVersion(definition);
  const items = await encodeEach(request, page, (entry) =>
    storedProtobufMessage(entry, definition.type, apiVersion),
  );
  const list = encodeProtobufList(
    { apiVersion, kind: `${definition.kind}List` },
    listMeta(page),
    items,
  );
  return respondParts(request.context, 'application/vnd.kubernetes.protobuf', list);
}

const listEnd = Buffer.from(']}\n');

/** What is encoded for the first time may take long, so others get their turn in between. */
async function encodeEach(
  { services: { limits } }: ResourceRequest,
  { entries }: Page,
  encode: (entry: StoredEntry) => Uint8Array,
): Promise<Uint8Array[]> {
  const encoded: Uint8Array[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const item = encode(entry);
    encoded.push(item);
    bytes += item.byteLength;
    if (bytes < limits.encodeChunkBytes) continue;
    bytes = 0;
    await nextTurn();
  }
  return encoded;
}

async function respondJsonList(request: ResourceRequest, page: Page): Promise<void> {
  const { custom, definition } = request.endpoint;
  const apiVersion = formatApiVersion(definition);
  const head = jsonHead(definition.kind, apiVersion);
  const metadata = custom ? customListMeta(page) : listMeta(page);
  const start = Buffer.from(
    `{"kind":${JSON.stringify(listKindOf(request.endpoint))},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`,
  );
  const items = await encodeEach(request, page, (entry) =>
    custom ? storedJson(entry, apiVersion) : storedJsonItem(entry, head, apiVersion),
  );
  // Items of typed lists come without their opening brace.
  const first = Buffer.from(custom ? '' : '{');
  const between = Buffer.from(custom ? ',' : ',{');
  let size = start.length + listEnd.length;
  for (const [i, item] of items.entries()) size += (i === 0 ? first : between).length + item.length;
  return respondParts(request.context, 'application/json', {
    size,
    *parts() {
      yield start;
      for (const [i, item] of items.entries()) {
        yield i === 0 ? first : between;
        yield item;
      }
      yield listEnd;
    },
  });
}
