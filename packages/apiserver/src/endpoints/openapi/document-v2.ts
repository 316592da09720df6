// The OpenAPI document of version 2: all paths and definitions in one, as JSON and as protobuf. It is
// put together from one part for each group, which is made anew only when the group has changed;
// making one lets others have their turn. With thousands of resources the document has tens of
// megabytes, so it is never one piece.

import { encodeJsonText, nextTurn } from '@keelson/apimachinery';
import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';
import { contentHash } from '../content-hash.ts';
import { plainDocuments } from './document-paths.ts';
import {
  membersText,
  allPartsOf,
  partsOf,
  type EndpointParts,
  type Member,
  type PartsMaker,
  type PathItemMaker,
} from './endpoint-parts.ts';
import { remoteMembers, type RemoteMembers } from './merge-v2.ts';
import { encodeOpenApiV2 } from './openapi-v2-protobuf.ts';
import {
  answerSchema,
  answerText,
  bodyOf,
  bodyTypes,
  gvkOf,
  plainOperation,
  tagName,
} from './operation-parts.ts';
import type { Operation } from './operations.ts';
import {
  pathParameter,
  queryParameter,
  type Parameter,
  type SharedParameters,
} from './parameters.ts';
import type { RemoteOpenApi, RemoteOpenApiV2 } from './remote-openapi.ts';
import type { OpenApiSchema } from './schemas.ts';

/** A whole document; joined, the chunks are its bytes. */
export type Chunks = readonly Uint8Array[];

export interface DocumentV2Builder {
  json(): Promise<Chunks>;
  protobuf(): Promise<Chunks>;
}

/** What a group adds to the document. */
interface GroupPart {
  readonly generation: number;
  /** Where the group stands among the others: what all its paths begin with. */
  readonly prefix: string;
  readonly paths: Uint8Array;
  readonly firstSchema: string;
  readonly schemas: Buffer;
  readonly shared: ReadonlySet<string>;
  readonly endpoints: readonly ResourceEndpoint[];
}

export interface DocumentV2Options {
  readonly parts: PartsMaker;
  /** What the maker of the parts put their parameters into. */
  readonly parameters: SharedParameters;
  readonly info: object;
  /** What other servers serve. */
  readonly remote?: RemoteOpenApi;
}

export function createDocumentV2Builder(
  index: ResourceIndex,
  { parts, parameters, info, remote }: DocumentV2Options,
): DocumentV2Builder {
  const kept = new Map<string, GroupPart>();
  const protobufs = new WeakMap<ResourceEndpoint, Uint8Array>();
  const shared = createSharedPart(parts);
  const groupParts = async (): Promise<GroupPart[]> => {
    const all: GroupPart[] = [];
    for (const group of index.groups()) {
      let part = kept.get(group);
      if (part?.generation !== index.generationOf(group))
        kept.set(group, (part = await makeGroupPart(index, group, parts)));
      all.push(part);
    }
    for (const group of kept.keys()) if (index.generationOf(group) === 0) kept.delete(group);
    return all;
  };
  const others = (groups: readonly GroupPart[]): RemoteMembers =>
    remoteMembers(servedElsewhere(remote?.v2() ?? [], groups), (name) => {
      if (groups.some((g) => g.shared.has(name))) return asObject(parts.sharedSchema(name));
      const member = `${encodeJsonText(name)}:`;
      return groups.some((g) => g.schemas.includes(member)) ? 'unknown' : undefined;
    });
  return {
    async json() {
      const groups = await groupParts();
      const added = others(groups);
      const paths = [...plainPaths, ...groups.map((g) => [g.prefix, g.paths] as const)];
      const schemas = groups.map((g) => [g.firstSchema, g.schemas] as const);
      return [
        Buffer.from(`{"swagger":"2.0","info":${encodeJsonText(info)},"paths":{`),
        ...inOrder([...paths, ...added.paths.map(chunkOf)]),
        definitionsStart,
        ...inOrder([
          ...schemas,
          [sharedPrefix, shared(groups).json],
          ...added.schemas.map(chunkOf),
        ]),
        Buffer.from(`},"parameters":{${membersText(together(parameters, added))}`),
        documentEnd,
      ];
    },
    async protobuf() {
      const groups = await groupParts();
      const chunks: Uint8Array[] = [encodeOpenApiV2({ swagger: '2.0', info, ...plainV2 })];
      for (const endpoint of groups.flatMap((g) => g.endpoints)) {
        let bytes = protobufs.get(endpoint);
        if (bytes === undefined) {
          const made = await partsOf(parts, endpoint);
          bytes = encodeParts(made);
          protobufs.set(endpoint, bytes);
          await nextTurn();
        }
        chunks.push(bytes);
      }
      const added = others(groups);
      chunks.push(encodeOthers(added));
      // INVARIANT: messages that follow one another are one message with all their entries.
      const shownParameters = encodeOpenApiV2({ parameters: read(together(parameters, added)) });
      return [...chunks, shared(groups).protobuf(), shownParameters];
    },
  };
}

/**
 * A custom resource may have a schema that the protobuf form has no place for, such as a length that
 * is no number of JavaScript; then the document says nothing of its fields.
 */
function encodeParts({ paths, schemas }: EndpointParts): Uint8Array {
  try {
    return encodeOpenApiV2({ paths: read(paths), definitions: read(schemas) });
  } catch {
    const unknown = schemas.map(([name]): Member => [name, '{"type":"object"}']);
    return encodeOpenApiV2({ paths: read(paths), definitions: read(unknown) });
  }
}

/** Parameters of this server and of others; the same name is the same parameter. */
function together(own: SharedParameters, others: RemoteMembers): readonly Member[] {
  return [...new Map([...others.parameters, ...own.all()])];
}

async function makeGroupPart(
  index: ResourceIndex,
  group: string,
  parts: PartsMaker,
): Promise<GroupPart> {
  const generation = index.generationOf(group);
  const endpoints = index.inGroup(group);
  const { paths, schemas, shared } = await allPartsOf(parts, endpoints);
  const part = {
    generation,
    prefix: group === '' ? '/api/v' : `/apis/${group}/`,
    paths: Buffer.from(membersText(paths)),
    firstSchema: schemas.map(([name]) => name).reduce((a, b) => (a < b ? a : b), '~'),
    schemas: Buffer.from(membersText(schemas)),
    shared,
    endpoints,
  };
  // Hashed in the same turn in which they are made, so that the whole is hashed quickly.
  contentHash([part.paths]);
  contentHash([part.schemas]);
  await nextTurn();
  return part;
}

/** A path of ours stays ours: of a group that this server has, only the version is the other's. */
function servedElsewhere(
  documents: readonly RemoteOpenApiV2[],
  groups: readonly GroupPart[],
): RemoteOpenApiV2[] {
  const own = new Set(groups.map(({ prefix }) => prefix));
  return documents.map(({ document, prefixes }) => ({
    document,
    prefixes: prefixes.filter((prefix) => !own.has(prefix)),
  }));
}

const chunkOf = (member: Member) => [member[0], Buffer.from(membersText([member]))] as const;
const asObject = (json: string): object => JSON.parse(json) as object;

/** What another server wrote may not fit the binary form, which must not take ours away. */
function encodeOthers({ paths, schemas }: RemoteMembers): Uint8Array {
  if (paths.length === 0) return new Uint8Array();
  try {
    return encodeOpenApiV2({ paths: read(paths), definitions: read(schemas) });
  } catch {
    return new Uint8Array();
  }
}

/** Built-in schemas all begin with this. */
const sharedPrefix = 'io.k8s.';

function createSharedPart(parts: PartsMaker) {
  let last: { readonly names: string; readonly json: Uint8Array; protobuf(): Uint8Array };
  return (groups: readonly GroupPart[]) => {
    const all = new Set(groups.flatMap(({ shared }) => [...shared]));
    const names = [...all].toSorted().join();
    if (last?.names === names) return last;
    const members = [...all].map((name): Member => [name, parts.sharedSchema(name)]);
    let protobuf: Uint8Array | undefined;
    last = {
      names,
      json: Buffer.from(membersText(members)),
      protobuf: () => (protobuf ??= encodeOpenApiV2({ definitions: read(members) })),
    };
    return last;
  };
}

function read(members: readonly Member[]): object {
  return Object.fromEntries(
    members
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, json]) => [name, JSON.parse(json) as unknown]),
  );
}

/** Chunks that are not empty, by name, with commas between them. */
function inOrder(named: readonly (readonly [string, Uint8Array])[]): Uint8Array[] {
  return named
    .filter(([, chunk]) => chunk.byteLength > 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, chunk], i) => (i === 0 ? [chunk] : [comma, chunk]));
}

const comma = Buffer.from(',');
const definitionsStart = Buffer.from('},"definitions":{');
const plainV2 = {
  paths: Object.fromEntries(
    Object.values(plainDocuments).map(([path, id]) => [
      path,
      {
        get: {
          ...plainOperation(id),
          responses: { 200: { description: 'OK' }, 401: { description: 'Unauthorized' } },
        },
      },
    ]),
  ),
  securityDefinitions: {
    BearerToken: {
      description: 'Bearer Token authentication',
      type: 'apiKey',
      name: 'authorization',
      in: 'header',
    },
  },
  security: [{ BearerToken: [] }],
};
const plainPaths = Object.entries(plainV2.paths).map(
  ([path, item]) => [path, Buffer.from(membersText([[path, encodeJsonText(item)]]))] as const,
);
const documentEnd = Buffer.from(
  `},"securityDefinitions":${encodeJsonText(plainV2.securityDefinitions)},` +
    `"security":${encodeJsonText(plainV2.security)}}`,
);

/** Operations of version 2; their parameters are shared where they can be. */
export function createPathItemV2(shared: SharedParameters): PathItemMaker {
  const parameter = (p: Parameter) =>
    shared.place({
      uniqueItems: true,
      type: p.type,
      description: p.description,
      name: p.name,
      in: p.in,
      ...(p.required ? { required: true } : {}),
    });
  return (endpoint, path, collector) => {
    const kind = path.subresource?.gvk.kind ?? endpoint.definition.kind;
    const operations = path.operations.map((operation) => {
      const body = bodyOf(endpoint, path, operation, collector);
      const parameters = [
        ...(body === undefined ? [] : [shared.place(bodyParameter(body))]),
        ...operation.parameters.map((id) => parameter(queryParameter(id))),
      ];
      return [
        operation.method,
        {
          consumes: body?.types ?? ['*/*'],
          produces: operation.answer === 'text' ? ['*/*'] : bodyTypes,
          schemes: ['https'],
          tags: [tagName(endpoint)],
          operationId: operation.id,
          parameters,
          responses: responsesOf(operation, answerSchema(endpoint, path, operation, collector)),
          'x-kubernetes-action': operation.action,
          'x-kubernetes-group-version-kind': gvkOf(endpoint, path),
        },
      ] as const;
    });
    const parameters = path.pathParameters.map((name) => parameter(pathParameter(name, kind)));
    return { ...Object.fromEntries(operations), ...(parameters.length > 0 ? { parameters } : {}) };
  };
}

function bodyParameter({ required, schema }: { required: boolean; schema: OpenApiSchema }) {
  return { name: 'body', in: 'body', ...(required ? { required: true } : {}), schema };
}

function responsesOf({ codes }: Operation, schema: OpenApiSchema) {
  const refused = { description: 'Unauthorized' };
  return Object.fromEntries(
    codes.map((code) => [
      code,
      code === '401' ? refused : { description: answerText(code), schema },
    ]),
  );
}
