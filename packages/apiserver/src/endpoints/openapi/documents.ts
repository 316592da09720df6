// The OpenAPI documents: version 3 by group version with an index, version 2 as a whole. Made when
// somebody asks, kept until the served resources change.

import { createHash } from 'node:crypto';
import { encodeJson } from '@keelson/apimachinery';
import type { ResourceIndex } from '../../registry/resource-endpoint.ts';
import { documentPaths, endpointsOf } from './document-paths.ts';
import { buildV2 } from './document-v2.ts';
import { buildV3 } from './document-v3.ts';
import { encodeOpenApiV2 } from './openapi-v2-protobuf.ts';

export interface OpenApiDocument {
  readonly bytes: Uint8Array;
  /** Hexadecimal, for ETag and the index. */
  readonly hash: string;
}
export interface OpenApiDocuments {
  /** `paths` of the version 3 index. */
  index(): OpenApiDocument;
  /** `api/v1`, `apis/apps/v1`, `version` …; undefined when there is none. */
  v3(path: string): OpenApiDocument | undefined;
  v2(): OpenApiDocument;
  /** The same in the protobuf form of gnostic. */
  v2Protobuf(): OpenApiDocument;
}

export function createOpenApiDocuments(index: ResourceIndex, gitVersion: string): OpenApiDocuments {
  let generation = -1;
  let cache = new Map<string, OpenApiDocument | undefined>();
  const cached = (key: string, make: () => Uint8Array | undefined): OpenApiDocument | undefined => {
    if (generation !== index.generation) {
      generation = index.generation;
      cache = new Map();
    }
    if (!cache.has(key)) cache.set(key, toDocument(make()));
    return cache.get(key);
  };
  const v3 = (path: string) =>
    cached(`v3:${path}`, () => optionalJson(buildV3(path, index, gitVersion)));
  const required = (document: OpenApiDocument | undefined): OpenApiDocument =>
    document ?? { bytes: new Uint8Array(), hash: '' };
  return {
    v3,
    index: () =>
      required(cached('index', () => encodeJson({ paths: indexPaths(index, gitVersion) }))),
    v2: () => required(cached('v2', () => encodeJson(buildV2(index, gitVersion)))),
    v2Protobuf: () =>
      required(cached('v2 protobuf', () => encodeOpenApiV2(buildV2(index, gitVersion)))),
  };
}

const optionalJson = (value: object | undefined): Uint8Array | undefined =>
  value === undefined ? undefined : encodeJson(value);

function toDocument(bytes: Uint8Array | undefined): OpenApiDocument | undefined {
  if (bytes === undefined) return undefined;
  return { bytes, hash: createHash('sha512').update(bytes).digest('hex').toUpperCase() };
}

function indexPaths(index: ResourceIndex, gitVersion: string): object {
  return Object.fromEntries(
    documentPaths(index).map((path) => [
      path,
      { serverRelativeURL: `/openapi/v3/${path}?hash=${fingerprint(path, index, gitVersion)}` },
    ]),
  );
}

/**
 * Changes when the document would; made from what the document is made of, so the index needs no
 * document.
 */
function fingerprint(path: string, index: ResourceIndex, gitVersion: string): string {
  const members = endpointsOf(path, index).map(
    (e) => `${e.definition.resource}:${e.definition.type.name}:${e.custom ? index.generation : ''}`,
  );
  return createHash('sha256')
    .update([gitVersion, path, ...members].join('\n'))
    .digest('hex')
    .toUpperCase();
}
