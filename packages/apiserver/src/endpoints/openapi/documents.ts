// The OpenAPI documents: version 3 by group version with an index, version 2 as a whole. Made when
// somebody asks, kept until the served resources change.

import { createHash } from 'node:crypto';
import { encodeJson } from '@keelson/apimachinery';
import type { ResourceIndex } from '../../registry/resource-endpoint.ts';
import { documentPaths, endpointsOf } from './document-paths.ts';
import { buildV2 } from './document-v2.ts';
import { buildV3 } from './document-v3.ts';

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
}

export function createOpenApiDocuments(index: ResourceIndex, gitVersion: string): OpenApiDocuments {
  let generation = -1;
  let cache = new Map<string, OpenApiDocument | undefined>();
  const cached = (key: string, make: () => object | undefined): OpenApiDocument | undefined => {
    if (generation !== index.generation) {
      generation = index.generation;
      cache = new Map();
    }
    if (!cache.has(key)) cache.set(key, toDocument(make()));
    return cache.get(key);
  };
  const build = (path: string) => buildV3(path, index, gitVersion);
  const v3 = (path: string) => cached(`v3:${path}`, () => build(path));
  const required = (document: OpenApiDocument | undefined): OpenApiDocument =>
    document ?? { bytes: new Uint8Array(), hash: '' };
  return {
    v3,
    index: () =>
      required(
        cached('index', () => ({
          paths: Object.fromEntries(
            documentPaths(index).map((path) => [
              path,
              {
                serverRelativeURL: `/openapi/v3/${path}?hash=${fingerprint(path, index, gitVersion)}`,
              },
            ]),
          ),
        })),
      ),
    v2: () => required(cached('v2', () => buildV2(index, gitVersion))),
  };
}

function toDocument(value: object | undefined): OpenApiDocument | undefined {
  if (value === undefined) return undefined;
  const bytes = encodeJson(value);
  return { bytes, hash: createHash('sha512').update(bytes).digest('hex').toUpperCase() };
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
