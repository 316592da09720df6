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
  /** With `name`: to a subresource of that object (binding, eviction, token). */
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
  const wire = createWire(dependencies, options);
  return {
    resource: options.resource,
    namespace: (name) => createResourceClient(dependencies, { ...options, namespace: name }),
    ...readingVerbs<T>(dependencies, wire),
    ...writingVerbs<T>(wire),
    ...deletingVerbs<T>(wire),
  };
}

/** Where the requests of one resource go, and in which shape the answers are wanted. */
interface Wire {
  /** Throws for names that cannot be part of a path. */
  path(name?: string, subresource?: string): string;
  readonly acceptObject: RequestHeaders;
  readonly acceptList: RequestHeaders;
  /** The decoded answer. */
  send(call: ApiCall): Promise<unknown>;
}

function createWire({ requester }: WatchDependencies, options: ResourceClientOptions): Wire {
  const { resource, namespace = '', metadataOnly = false } = options;
  const accept = (kind: string): RequestHeaders =>
    metadataOnly ? { accept: acceptMetadata(kind) } : {};
  const acceptObject = accept('PartialObjectMetadata');
  return {
    path(name, subresource) {
      const parts = [name, subresource].filter((part) => part !== undefined);
      return [collectionPath(resource, namespace), ...parts.map(segment)].join('/');
    },
    acceptObject,
    acceptList: accept('PartialObjectMetadataList'),
    async send(call) {
      const headers = { ...acceptObject, ...call.headers };
      return decodeJsonBody(await requester.send({ ...call, headers }));
    },
  };
}

function readingVerbs<T extends KubeObject>(
  dependencies: WatchDependencies,
  { path, acceptObject, acceptList, send }: Wire,
): Pick<ResourceClient<T>, 'get' | 'list' | 'listAll' | 'watch'> {
  const list = async (options: ListOptions = {}): Promise<ListOf<T>> => {
    const call = { method: 'GET', path: path(), query: listQuery(options), headers: acceptList };
    return toList<T>(await send({ ...call, ...signalOf(options.signal) }));
  };
  return {
    async get(name, { resourceVersion, subresource, signal } = {}) {
      const query = defined([['resourceVersion', resourceVersion]]);
      const call = { method: 'GET', path: path(name, subresource), query };
      return toObject<T>(await send({ ...call, ...signalOf(signal) }));
    },
    list,
    listAll: (options = {}) => listPages(list, options, dependencies.limits.pageSize),
    watch: (options = {}) =>
      watchResource<T>(dependencies, { path: path(), headers: acceptObject }, options),
  };
}

function writingVerbs<T extends KubeObject>({
  path,
  send,
}: Wire): Pick<ResourceClient<T>, 'create' | 'update' | 'patch' | 'apply'> {
  const write = async (
    method: string,
    to: string,
    content: ReturnType<typeof jsonBody>,
    options: WriteOptions & { readonly force?: boolean },
  ): Promise<T> => {
    const query = [...writeQuery(options), ...defined([['force', options.force]])];
    const call = { method, path: to, query, ...content, ...signalOf(options.signal) };
    return toObject<T>(await send(call));
  };
  const nameOf = (object: T) => object.metadata.name ?? '';
  return {
    create: async (object, { name, ...options } = {}) =>
      write('POST', path(name, options.subresource), jsonBody(object), options),
    update: async (object, options = {}) =>
      write('PUT', path(nameOf(object), options.subresource), jsonBody(object), options),
    patch: async (name, type, patch, options = {}) =>
      write('PATCH', path(name, options.subresource), jsonBody(patch, patchTypes[type]), options),
    apply: async (object, options) =>
      write(
        'PATCH',
        path(nameOf(object), options.subresource),
        jsonBody(object, applyType),
        options,
      ),
  };
}

function deletingVerbs<T extends KubeObject>({
  path,
  send,
}: Wire): Pick<ResourceClient<T>, 'delete' | 'deleteCollection'> {
  const contentOf = (options: DeleteOptions) => {
    const body = deleteBody(options);
    const content: Pick<ApiCall, 'body' | 'headers'> = body === undefined ? {} : jsonBody(body);
    return { ...content, ...signalOf(options.signal) };
  };
  return {
    async delete(name, options = {}) {
      const call = { method: 'DELETE', path: path(name), ...contentOf(options) };
      // A Status has metadata too, so it passes for an object; its kind tells them apart.
      return toObject<T>(await send(call));
    },
    async deleteCollection(options = {}, selection = {}) {
      const { headers, ...content } = contentOf(options);
      const call = { method: 'DELETE', path: path(), query: selectionQuery(selection), ...content };
      // The list of what was deleted is never cut down.
      await send({ ...call, headers: { accept: 'application/json', ...headers } });
    },
  };
}

async function listPages<T extends KubeObject>(
  list: (options: ListOptions) => Promise<ListOf<T>>,
  options: ListOptions,
  pageSize: number,
): Promise<ListOf<T>> {
  const first = await list({ ...options, limit: pageSize });
  const items = first.items;
  let next = first.metadata.continue ?? '';
  // A token belongs to the revision of the first page, and says so itself.
  const { resourceVersion: _revision, resourceVersionMatch: _match, ...rest } = options;
  while (next !== '') {
    try {
      const page = await list({ ...rest, limit: pageSize, continue: next });
      items.push(...page.items);
      next = page.metadata.continue ?? '';
    } catch (error) {
      if (isStatusError(error, 'Expired')) return list(options);
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
