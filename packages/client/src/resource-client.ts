// The verbs of one resource. Objects go out and come back as they are on the wire; failures are
// StatusErrors with the server's own words.

import {
  asKubeObject,
  isJsonObject,
  isStatusError,
  type GroupVersionResource,
  type JsonValue,
  type KubeObject,
  type ListMeta,
  type Status,
} from '@keelson/apimachinery';
import { decodeJsonBody, encodeJsonBody } from './json-body.ts';
import type { ApiCall } from './requester.ts';
import {
  defined,
  deleteBody,
  listQuery,
  selectionQuery,
  writeQuery,
  type ApplyOptions,
  type DeleteOptions,
  type GetOptions,
  type ListOptions,
  type PatchType,
  type SelectionOptions,
  type WatchOptions,
  type WriteOptions,
} from './resource-options.ts';
import { TransportError, type RequestHeaders } from './transport.ts';
import { watchResource, type WatchDependencies, type WatchEvent } from './watch.ts';

export interface ListOf<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ListMeta;
  /** With apiVersion and kind filled in, which lists of built-in kinds leave out. */
  readonly items: T[];
}

/** Every method rejects with StatusError, TransportError or the reason of the signal. */
export interface ResourceClient<T extends KubeObject = KubeObject> {
  readonly resource: GroupVersionResource;
  /** The same resource in one namespace; the empty name is all of them. */
  namespace(name: string): ResourceClient<T>;
  get(name: string, options?: GetOptions): Promise<T>;
  /** One page when `limit` is given, else everything at once. */
  list(options?: ListOptions): Promise<ListOf<T>>;
  /** Everything, page by page; from the beginning at once when a page's token has expired. */
  listAll(options?: Omit<ListOptions, 'limit' | 'continue'>): Promise<ListOf<T>>;
  watch(options?: WatchOptions): AsyncGenerator<WatchEvent<T>>;
  /** With `name` and `subresource`: to a subresource of that object (binding, eviction, token). */
  create(object: T, options?: WriteOptions & { readonly name?: string }): Promise<T>;
  update(object: T, options?: WriteOptions): Promise<T>;
  patch(name: string, type: PatchType, patch: JsonValue, options?: WriteOptions): Promise<T>;
  /** Server-side apply; the object names itself. */
  apply(object: T, options: ApplyOptions): Promise<T>;
  /** The object when it stays for a while or the kind answers so, else a Status. */
  delete(name: string, options?: DeleteOptions): Promise<T | Status>;
  deleteCollection(options?: DeleteOptions, selection?: SelectionOptions): Promise<void>;
}

export interface ResourceClientOptions {
  readonly resource: GroupVersionResource;
  readonly namespace?: string;
  /** Asks for PartialObjectMetadata in place of whole objects. */
  readonly metadataOnly?: boolean;
}

const patchTypes: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};
const applyType = 'application/apply-patch+yaml';
const acceptMetadata = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`;

export function createResourceClient<T extends KubeObject>(
  dependencies: WatchDependencies,
  options: ResourceClientOptions,
): ResourceClient<T> {
  const { requester, limits } = dependencies;
  const { resource, namespace = '', metadataOnly = false } = options;
  const collection = collectionPath(resource, namespace);
  const accept = (kind: string): RequestHeaders =>
    metadataOnly ? { accept: acceptMetadata(kind) } : {};
  const acceptObject = accept('PartialObjectMetadata');
  const acceptList = accept('PartialObjectMetadataList');
  const named = (name: string, subresource?: string) => {
    const path = `${collection}/${segment(name)}`;
    return subresource === undefined ? path : `${path}/${segment(subresource)}`;
  };
  const send = async (call: ApiCall) => {
    const headers = { ...acceptObject, ...call.headers };
    return decodeJsonBody(await requester.send({ ...call, headers }));
  };
  const sendObject = async (call: ApiCall) => toObject<T>(await send(call));

  const client: ResourceClient<T> = {
    resource,
    namespace: (name) => createResourceClient(dependencies, { ...options, namespace: name }),
    get: (name, { resourceVersion, subresource, signal } = {}) =>
      sendObject({
        method: 'GET',
        path: named(name, subresource),
        query: defined([['resourceVersion', resourceVersion]]),
        ...signalOf(signal),
      }),
    async list(listOptions = {}) {
      const call = { method: 'GET', path: collection, query: listQuery(listOptions) };
      const headers = acceptList;
      return toList<T>(await send({ ...call, headers, ...signalOf(listOptions.signal) }));
    },
    listAll: (listOptions = {}) => listPages(client, listOptions, limits.pageSize),
    watch: (watchOptions = {}) =>
      watchResource<T>(dependencies, { path: collection, headers: acceptObject }, watchOptions),
    create(object, { name, ...writeOptions } = {}) {
      const { subresource, signal } = writeOptions;
      const path = name === undefined ? collection : named(name, subresource);
      const call = { method: 'POST', path, query: writeQuery(writeOptions), ...signalOf(signal) };
      return sendObject({ ...call, ...jsonBody(object) });
    },
    update: (object, writeOptions = {}) =>
      sendObject({
        method: 'PUT',
        path: named(object.metadata.name ?? '', writeOptions.subresource),
        query: writeQuery(writeOptions),
        ...jsonBody(object),
        ...signalOf(writeOptions.signal),
      }),
    patch: (name, type, patch, writeOptions = {}) =>
      sendObject({
        method: 'PATCH',
        path: named(name, writeOptions.subresource),
        query: writeQuery(writeOptions),
        ...jsonBody(patch, patchTypes[type]),
        ...signalOf(writeOptions.signal),
      }),
    apply: (object, applyOptions) =>
      sendObject({
        method: 'PATCH',
        path: named(object.metadata.name ?? '', applyOptions.subresource),
        query: [...writeQuery(applyOptions), ...defined([['force', applyOptions.force]])],
        ...jsonBody(object, applyType),
        ...signalOf(applyOptions.signal),
      }),
    async delete(name, deleteOptions = {}) {
      const body = deleteBody(deleteOptions);
      const call = { method: 'DELETE', path: named(name), ...signalOf(deleteOptions.signal) };
      // A Status has metadata too, so it passes for an object; its kind tells them apart.
      return toObject<T>(await send(body === undefined ? call : { ...call, ...jsonBody(body) }));
    },
    async deleteCollection(deleteOptions = {}, selection = {}) {
      const body = deleteBody(deleteOptions);
      const query = selectionQuery(selection);
      const call = { method: 'DELETE', path: collection, query };
      const content = body === undefined ? {} : jsonBody(body);
      await requester.send({ ...call, ...content, ...signalOf(deleteOptions.signal) });
    },
  };
  return client;
}

async function listPages<T extends KubeObject>(
  client: ResourceClient<T>,
  options: ListOptions,
  pageSize: number,
): Promise<ListOf<T>> {
  const first = await client.list({ ...options, limit: pageSize });
  const items = first.items;
  let next = first.metadata.continue ?? '';
  // A token belongs to the revision of the first page, and says so itself.
  const { resourceVersion: _revision, resourceVersionMatch: _match, ...rest } = options;
  while (next !== '') {
    try {
      const page = await client.list({ ...rest, limit: pageSize, continue: next });
      items.push(...page.items);
      next = page.metadata.continue ?? '';
    } catch (error) {
      if (isStatusError(error, 'Expired')) return client.list(options);
      throw error;
    }
  }
  const { resourceVersion } = first.metadata;
  return { ...first, metadata: resourceVersion === undefined ? {} : { resourceVersion }, items };
}

/** `/api/v1/namespaces/shop/pods`, `/apis/apps/v1/deployments`. */
function collectionPath({ group, version, resource }: GroupVersionResource, namespace: string) {
  const root =
    group === '' ? `/api/${segment(version)}` : `/apis/${segment(group)}/${segment(version)}`;
  const scope = namespace === '' ? '' : `/namespaces/${segment(namespace)}`;
  return `${root}${scope}/${segment(resource)}`;
}

/** SECURITY: a name never becomes more than one segment of the path, nor a step up. */
function segment(text: string): string {
  if (text === '' || text === '.' || text === '..')
    throw new TypeError(`${JSON.stringify(text)} cannot be part of a path`);
  return encodeURIComponent(text);
}

function jsonBody(value: unknown, contentType = 'application/json') {
  return { body: encodeJsonBody(value), headers: { 'content-type': contentType } };
}

function signalOf(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function toObject<T extends KubeObject>(value: unknown): T {
  if (!isJsonObject(value) || !isJsonObject(value['metadata']))
    throw new TransportError('broken', 'the server answered with something that is no object');
  return asKubeObject(value) as T;
}

function toList<T extends KubeObject>(value: unknown): ListOf<T> {
  if (!isJsonObject(value) || typeof value['kind'] !== 'string')
    throw new TransportError('broken', 'the server answered with something that is no list');
  const apiVersion = String(value['apiVersion'] ?? '');
  const kind = value['kind'];
  const type = { apiVersion, kind: kind.replace(/List$/, '') };
  const items = (Array.isArray(value['items']) ? value['items'] : []).map((item) =>
    toObject<T>(isJsonObject(item) && item['kind'] === undefined ? { ...type, ...item } : item),
  );
  const metadata = (isJsonObject(value['metadata']) ? value['metadata'] : {}) as ListMeta;
  return { apiVersion, kind, metadata, items };
}
