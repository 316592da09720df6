// Which resources the server has (KEP-3352, aggregated discovery). The documents are asked for anew
// each time and read only when they have changed, so asking often costs little.

import {
  isJsonObject,
  type GroupVersion,
  type GroupVersionKind,
  type GroupVersionResource,
  type JsonObject,
  type JsonValue,
} from '@keelson/apimachinery';
import { decodeJsonBody } from './json-body.ts';
import type { Requester } from './requester.ts';

export interface DiscoveredResource extends GroupVersionResource, GroupVersionKind {
  readonly namespaced: boolean;
  /** `pod`, `po`: other names that people call it. */
  readonly shortNames: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

export interface DiscoveredApi {
  /** In the server's order: best group first, in it best version first. */
  readonly resources: readonly DiscoveredResource[];
  /** Group versions whose server did not answer; their resources may be missing. */
  readonly stale: readonly GroupVersion[];
}

export interface Discovery {
  /** What the server has now. The same value as before when nothing has changed. */
  fetch(signal?: AbortSignal): Promise<DiscoveredApi>;
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export function createDiscovery(requester: Requester): Discovery {
  let lastBytes: readonly Uint8Array[] = [];
  let last: DiscoveredApi | undefined;
  return {
    async fetch(signal) {
      const documents = await Promise.all(
        ['/api', '/apis'].map((path) =>
          requester.send({
            method: 'GET',
            path,
            headers: { accept: aggregated },
            ...(signal === undefined ? {} : { signal }),
          }),
        ),
      );
      const same = documents.every(
        (bytes, i) => Buffer.compare(bytes, lastBytes[i] ?? empty) === 0,
      );
      if (last !== undefined && same) return last;
      const read = readDocuments(documents);
      lastBytes = documents;
      last = read;
      return read;
    },
  };
}

const empty = new Uint8Array();

function readDocuments(documents: readonly Uint8Array[]): DiscoveredApi {
  const resources: DiscoveredResource[] = [];
  const stale: GroupVersion[] = [];
  for (const bytes of documents) {
    for (const group of objectsOf(decodeJsonBody(bytes), 'items')) {
      const metadata = group['metadata'];
      const name = isJsonObject(metadata) ? textOf(metadata['name']) : '';
      for (const version of objectsOf(group, 'versions')) {
        const gv = { group: name, version: textOf(version['version']) };
        if (version['freshness'] === 'Stale') stale.push(gv);
        for (const resource of objectsOf(version, 'resources')) {
          const read = readResource(gv, resource);
          if (read !== undefined) resources.push(read);
        }
      }
    }
  }
  return { resources, stale };
}

function readResource(gv: GroupVersion, json: JsonObject): DiscoveredResource | undefined {
  const kind = json['responseKind'];
  // A resource that has subresources only has no kind of its own.
  if (!isJsonObject(kind) || textOf(kind['kind']) === '') return undefined;
  return {
    ...gv,
    resource: textOf(json['resource']),
    kind: textOf(kind['kind']),
    namespaced: json['scope'] === 'Namespaced',
    shortNames: [textOf(json['singularResource']), ...textsOf(json['shortNames'])].filter(Boolean),
    verbs: textsOf(json['verbs']),
    subresources: objectsOf(json, 'subresources').map((s) => textOf(s['subresource'])),
  };
}

function objectsOf(value: unknown, key: string): JsonObject[] {
  const list = isJsonObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}
function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
