// The OpenAPI documents: version 3 by group version with an index, version 2 as a whole. Made when
// somebody asks, kept until the served resources change.

import { createHash } from 'node:crypto';
import {
  builtinKinds,
  encodeJson,
  typeForKind,
  type GroupVersionKind,
  type StructType,
} from '@keelson/apimachinery';
import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';
import { pathsOf, type Operation, type PathOperations } from './operations.ts';
import { pathParameter, queryParameter, type Parameter } from './parameters.ts';
import { createSchemaCollector, type OpenApiSchema, type SchemaCollector } from './schemas.ts';

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

const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
/** Documents of paths that are no resources: path and operation id. */
const plainDocuments: Readonly<Record<string, readonly [path: string, id: string]>> = {
  '.well-known/openid-configuration': [
    '/.well-known/openid-configuration/',
    'getServiceAccountIssuerOpenIDConfiguration',
  ],
  api: ['/api/', 'getCoreAPIVersions'],
  apis: ['/apis/', 'getAPIVersions'],
  'openid/v1/jwks': ['/openid/v1/jwks/', 'getServiceAccountIssuerOpenIDKeyset'],
  version: ['/version/', 'getCodeVersion'],
};

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

/** Changes when the document would; made from what the document is made of, so the index needs no document. */
function fingerprint(path: string, index: ResourceIndex, gitVersion: string): string {
  const members = endpointsOf(path, index).map(
    (e) => `${e.definition.resource}:${e.definition.type.name}:${e.custom ? index.generation : ''}`,
  );
  return createHash('sha256')
    .update([gitVersion, path, ...members].join('\n'))
    .digest('hex')
    .toUpperCase();
}

function documentPaths(index: ResourceIndex): string[] {
  const paths = new Set(Object.keys(plainDocuments));
  for (const { definition } of index.list()) {
    if (definition.group === '') paths.add(`api/${definition.version}`);
    else
      paths.add(`apis/${definition.group}`).add(`apis/${definition.group}/${definition.version}`);
  }
  return [...paths].toSorted();
}

function endpointsOf(path: string, index: ResourceIndex): ResourceEndpoint[] {
  const [prefix, first = '', second = ''] = path.split('/');
  const [group, version] = prefix === 'api' ? ['', first] : [first, second];
  if (version === '' || (prefix !== 'api' && prefix !== 'apis')) return [];
  return index
    .list()
    .filter((e) => e.definition.group === group && e.definition.version === version);
}

function buildV3(path: string, index: ResourceIndex, gitVersion: string): object | undefined {
  if (!documentPaths(index).includes(path)) return undefined;
  const collector = createSchemaCollector(3, kindsByDefinition(index));
  const plain = plainDocuments[path];
  const paths: Record<string, unknown> = {};
  const endpoints = endpointsOf(path, index);
  if (plain !== undefined) paths[plain[0]] = { get: plainOperation(plain[1]) };
  else {
    const tag = tagOf(path);
    paths[`/${path}/`] = {
      get: plainOperation(`get${tag.id}${endpoints.length > 0 ? 'APIResources' : 'APIGroup'}`),
    };
  }
  for (const endpoint of endpoints)
    for (const p of pathsOf(endpoint.definition))
      paths[p.path] = pathItemV3(endpoint, p, collector);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: gitVersion },
    paths: sorted(paths),
    components: {
      schemas: collector.schemas(),
      securitySchemes: {
        BearerToken: {
          type: 'apiKey',
          description: 'Bearer Token authentication',
          name: 'authorization',
          in: 'header',
        },
      },
    },
  };
}

function tagOf(path: string): { id: string } {
  const words = path.split('/').slice(1);
  const group = path.startsWith('api/')
    ? 'Core'
    : (words[0] ?? '')
        .replace(/\.k8s\.io$/, '')
        .split('.')
        .map(capitalize)
        .join('');
  const version = path.startsWith('api/') ? (words[0] ?? '') : (words[1] ?? '');
  return { id: group + capitalize(version) };
}
const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function plainOperation(operationId: string) {
  return {
    operationId,
    responses: {
      200: { description: 'OK', content: { 'application/json': { schema: { type: 'object' } } } },
      401: { description: 'Unauthorized' },
    },
  };
}

function pathItemV3(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  collector: SchemaCollector,
): object {
  const kind = path.subresource?.gvk.kind ?? endpoint.definition.kind;
  const parameters = path.pathParameters.map((name) => parameterV3(pathParameter(name, kind)));
  const operations = path.operations.map(
    (o) => [o.method, operationV3(endpoint, path, o, collector)] as const,
  );
  return { ...Object.fromEntries(operations), ...(parameters.length > 0 ? { parameters } : {}) };
}

function parameterV3(p: Parameter) {
  return {
    name: p.name,
    in: p.in,
    ...(p.description ? { description: p.description } : {}),
    ...(p.required ? { required: true } : {}),
    schema: { type: p.type, uniqueItems: true },
  };
}

function operationV3(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  operation: Operation,
  collector: SchemaCollector,
): object {
  const answer = answerSchema(endpoint, path, operation, collector);
  const content = Object.fromEntries(
    (operation.answer === 'text' ? ['*/*'] : bodyTypes).map((type) => [type, { schema: answer }]),
  );
  const responses = Object.fromEntries(
    operation.codes.map((code) => [
      code,
      code === '401' ? { description: 'Unauthorized' } : { description: answerText(code), content },
    ]),
  );
  const body = bodyOf(endpoint, path, operation, collector);
  return {
    tags: [tagName(endpoint)],
    operationId: operation.id,
    parameters: operation.parameters.map((name) => parameterV3(queryParameter(name))),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: Object.fromEntries(body.types.map((type) => [type, { schema: body.schema }])),
            ...(body.required ? { required: true } : {}),
          },
        }),
    responses,
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': gvkOf(endpoint, path),
  };
}

function answerText(code: string): string {
  return code === '201' ? 'Created' : code === '202' ? 'Accepted' : 'OK';
}
function tagName({ definition }: ResourceEndpoint): string {
  const group =
    definition.group === ''
      ? 'core'
      : definition.group
          .replace(/\.k8s\.io$/, '')
          .replace(/\.(\w)/g, (_m, c: string) => c.toUpperCase());
  return `${group}_${definition.version}`;
}

function gvkOf(
  endpoint: ResourceEndpoint,
  path: PathOperations,
): { group: string; kind: string; version: string } {
  const own = endpoint.definition;
  const sub = path.subresource?.gvk;
  if (sub === undefined || sub.kind === own.kind)
    return { group: own.group, kind: own.kind, version: own.version };
  return { group: sub.group, kind: sub.kind, version: sub.version || own.version };
}

function objectType(endpoint: ResourceEndpoint, path: PathOperations): StructType | undefined {
  const gvk = gvkOf(endpoint, path);
  return gvk.kind === endpoint.definition.kind ? endpoint.definition.type : typeForKind(gvk);
}

function answerSchema(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  operation: Operation,
  collector: SchemaCollector,
): OpenApiSchema {
  const meta = (kind: string) => {
    const type = typeForKind({ group: 'meta.k8s.io', version: 'v1', kind });
    return type === undefined ? { type: 'object' } : collector.reference(type);
  };
  if (operation.answer === 'text') return { type: 'string' };
  if (operation.answer === 'status') return meta('Status');
  if (operation.answer === 'watch-event') return meta('WatchEvent');
  const type = objectType(endpoint, path);
  if (operation.answer === 'object')
    return type === undefined ? { type: 'object' } : collector.reference(type);
  const list = typeForKind({ ...endpoint.definition, kind: `${endpoint.definition.kind}List` });
  if (list !== undefined && !endpoint.custom) return collector.reference(list);
  return {
    type: 'object',
    properties: {
      items: {
        type: 'array',
        items: type === undefined ? { type: 'object' } : collector.reference(type),
      },
    },
  };
}

function bodyOf(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  operation: Operation,
  collector: SchemaCollector,
) {
  if (operation.body === undefined) return undefined;
  if (operation.body === 'patch') {
    const patch = typeForKind({ group: 'meta.k8s.io', version: 'v1', kind: 'Patch' });
    const types = endpoint.custom ? patchTypes.filter((t) => !t.includes('strategic')) : patchTypes;
    return {
      types,
      required: true,
      schema:
        patch === undefined
          ? {
              description:
                'Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.',
              type: 'object',
            }
          : collector.reference(patch),
    };
  }
  const type =
    operation.body === 'delete-options'
      ? typeForKind({ group: 'meta.k8s.io', version: 'v1', kind: 'DeleteOptions' })
      : objectType(endpoint, path);
  return {
    types: ['*/*'],
    required: operation.body === 'object',
    schema: type === undefined ? { type: 'object' } : collector.reference(type),
  };
}

/** Which kinds a definition is the schema of: built-in ones, and those of custom resources. */
function kindsByDefinition(
  index: ResourceIndex,
): (definition: string) => readonly GroupVersionKind[] {
  const kinds = new Map<string, GroupVersionKind[]>();
  const add = (name: string | undefined, gvk: GroupVersionKind) => {
    if (name === undefined) return;
    const list = kinds.get(name);
    if (list === undefined) kinds.set(name, [gvk]);
    else if (
      !list.some((k) => k.group === gvk.group && k.version === gvk.version && k.kind === gvk.kind)
    )
      list.push(gvk);
  };
  for (const gvk of builtinKinds()) add(typeForKind(gvk)?.name, gvk);
  for (const { definition, custom } of index.list())
    if (custom)
      add(definition.type.name, {
        group: definition.group,
        version: definition.version,
        kind: definition.kind,
      });
  return (definition) => kinds.get(definition) ?? [];
}

function buildV2(index: ResourceIndex, gitVersion: string): object {
  const collector = createSchemaCollector(2, kindsByDefinition(index));
  const paths: Record<string, unknown> = {};
  for (const [path, id] of Object.values(plainDocuments))
    paths[path] = {
      get: {
        ...plainOperation(id),
        responses: { 200: { description: 'OK' }, 401: { description: 'Unauthorized' } },
      },
    };
  for (const endpoint of index.list())
    for (const p of pathsOf(endpoint.definition))
      paths[p.path] = pathItemV2(endpoint, p, collector);
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: gitVersion },
    paths: sorted(paths),
    definitions: collector.schemas(),
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
}

function pathItemV2(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  collector: SchemaCollector,
): object {
  const kind = path.subresource?.gvk.kind ?? endpoint.definition.kind;
  const parameter = (p: Parameter) => ({
    uniqueItems: true,
    type: p.type,
    ...(p.description ? { description: p.description } : {}),
    name: p.name,
    in: p.in,
    ...(p.required ? { required: true } : {}),
  });
  const operations = path.operations.map((o) => {
    const schema = answerSchema(endpoint, path, o, collector);
    const body = bodyOf(endpoint, path, o, collector);
    const responses = Object.fromEntries(
      o.codes.map((code) => [
        code,
        code === '401'
          ? { description: 'Unauthorized' }
          : { description: answerText(code), schema },
      ]),
    );
    return [
      o.method,
      {
        consumes: body?.types ?? ['*/*'],
        produces: o.answer === 'text' ? ['*/*'] : bodyTypes,
        schemes: ['https'],
        tags: [tagName(endpoint)],
        operationId: o.id,
        parameters: [
          ...(body === undefined
            ? []
            : [
                {
                  name: 'body',
                  in: 'body',
                  ...(body.required ? { required: true } : {}),
                  schema: body.schema,
                },
              ]),
          ...o.parameters.map((n) => parameter(queryParameter(n))),
        ],
        responses,
        'x-kubernetes-action': o.action,
        'x-kubernetes-group-version-kind': gvkOf(endpoint, path),
      },
    ] as const;
  });
  const parameters = path.pathParameters.map((name) => parameter(pathParameter(name, kind)));
  return { ...Object.fromEntries(operations), ...(parameters.length > 0 ? { parameters } : {}) };
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
