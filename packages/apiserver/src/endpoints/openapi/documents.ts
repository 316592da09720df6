// The OpenAPI documents: version 3 by group version with an index, version 2 as a whole. Made when
// somebody asks, kept until the served resources change, and made anew in turns: other requests are
// answered meanwhile, and those for the same document wait for the same one.

import { encodeJson } from '@keelson/apimachinery';
import type { ResourceIndex } from '../../registry/resource-endpoint.ts';
import { contentHash, textHash } from '../content-hash.ts';
import { documentPaths, endpointsOf, groupOfDocument } from './document-paths.ts';
import { createDocumentV2Builder, createPathItemV2, type Chunks } from './document-v2.ts';
import { buildV3, pathItemV3 } from './document-v3.ts';
import { createPartsMaker } from './endpoint-parts.ts';
import { createSharedParameters } from './parameters.ts';
import type { RemoteOpenApi } from './remote-openapi.ts';

export interface OpenApiDocument {
  /** Joined, the bytes. */
  readonly chunks: Chunks;
  /** Hexadecimal, for ETag and the index. */
  readonly hash: string;
}
export interface OpenApiDocuments {
  /** `paths` of the version 3 index. */
  index(): OpenApiDocument;
  /** `api/v1`, `apis/apps/v1`, `version` …; undefined when there is none. */
  v3(path: string): Promise<OpenApiDocument | undefined>;
  v2(): Promise<OpenApiDocument>;
  /** The same in the protobuf form of gnostic. */
  v2Protobuf(): Promise<OpenApiDocument>;
}

/** `remote` adds the documents of other servers. */
export function createOpenApiDocuments(
  index: ResourceIndex,
  gitVersion: string,
  remote?: RemoteOpenApi,
): OpenApiDocuments {
  const info = { title: 'Kubernetes', version: gitVersion };
  const v3 = { parts: createPartsMaker(3, pathItemV3), info };
  const parameters = createSharedParameters();
  const v2 = createDocumentV2Builder(index, {
    parts: createPartsMaker(2, createPathItemV2(parameters)),
    parameters,
    info,
    ...(remote === undefined ? {} : { remote }),
  });
  // Both only grow.
  const generation = () => index.generation + (remote?.generation ?? 0);
  const keep = createKeptDocuments();
  return {
    async v3(path) {
      const group = groupOfDocument(path);
      const generation = group === undefined ? 0 : index.generationOf(group);
      if (group !== undefined && generation === 0) return undefined;
      return keep(`v3:${path}`, generation, async () => {
        const bytes = await buildV3(path, index, v3);
        return bytes && [bytes];
      });
    },
    index() {
      const paths = { ...indexPaths(index, gitVersion), ...remotePaths(remote) };
      return toDocument([encodeJson({ paths: inOrder(paths) })]);
    },
    v2: async () => required(await keep('v2', generation(), v2.json)),
    v2Protobuf: async () => required(await keep('protobuf', generation(), v2.protobuf)),
  };
}

interface KeptDocument {
  readonly generation: number;
  readonly document: Promise<OpenApiDocument | undefined>;
}

/** A document that begins to be made is that of the generation which it began in. */
function createKeptDocuments() {
  const kept = new Map<string, KeptDocument>();
  return (name: string, generation: number, make: () => Promise<Chunks | undefined>) => {
    const known = kept.get(name);
    if (known?.generation === generation) return known.document;
    const document = make().then((chunks) => chunks && toDocument(chunks));
    kept.set(name, { generation, document });
    const forget = () => {
      if (kept.get(name)?.document === document) kept.delete(name);
    };
    // Neither failures nor documents that do not exist are kept: the latter clients may make up.
    document.then((found) => found ?? forget(), forget);
    return document;
  };
}

function required(document: OpenApiDocument | undefined): OpenApiDocument {
  if (document === undefined) throw new Error('unreachable: version 2 always exists');
  return document;
}

function toDocument(chunks: Chunks): OpenApiDocument {
  return { chunks, hash: contentHash(chunks) };
}

/** COMPAT: maps of Go come sorted. */
const inOrder = (paths: object): object =>
  Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => (a < b ? -1 : 1)));

function remotePaths(remote: RemoteOpenApi | undefined): object {
  return Object.fromEntries(
    (remote?.index() ?? []).map(({ path, hash }) => [
      path,
      { serverRelativeURL: `/openapi/v3/${path}${hash === '' ? '' : `?hash=${hash}`}` },
    ]),
  );
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
    (e) => `${e.definition.resource}:${e.definition.type.name}:${e.origin ?? ''}`,
  );
  return textHash([gitVersion, path, ...members].join('\n'));
}
