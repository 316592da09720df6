// What the operations of both OpenAPI versions are made of: schemas of bodies and answers, kinds,
// tags, media types.

import { typeForKind, type StructType } from '@keelson/apimachinery';
import type { ResourceEndpoint } from '../../registry/resource-endpoint.ts';
import type { Operation, PathOperations } from './operations.ts';
import { patchDefinition, type OpenApiSchema, type SchemaCollector } from './schemas.ts';

export const bodyTypes = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
];
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

export function plainOperation(operationId: string) {
  return {
    operationId,
    responses: {
      200: { description: 'OK', content: { 'application/json': { schema: { type: 'object' } } } },
      401: { description: 'Unauthorized' },
    },
  };
}

export function answerText(code: string): string {
  return code === '201' ? 'Created' : code === '202' ? 'Accepted' : 'OK';
}
export function tagName({ definition }: ResourceEndpoint): string {
  const group =
    definition.group === ''
      ? 'core'
      : definition.group
          .replace(/\.k8s\.io$/, '')
          .replace(/\.(\w)/g, (_m, c: string) => c.toUpperCase());
  return `${group}_${definition.version}`;
}

export function gvkOf(
  endpoint: ResourceEndpoint,
  path: PathOperations,
): { group: string; kind: string; version: string } {
  const own = endpoint.definition;
  const sub = path.subresource?.gvk;
  if (sub === undefined || sub.kind === own.kind)
    return { group: own.group, kind: own.kind, version: own.version };
  return { group: sub.group, kind: sub.kind, version: sub.version || own.version };
}

/** The type of an operation's object; that of a custom resource is published by its definition. */
function objectSchema(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  collector: SchemaCollector,
): OpenApiSchema {
  const gvk = gvkOf(endpoint, path);
  const isOwn = gvk.kind === endpoint.definition.kind;
  if (isOwn && endpoint.custom) return collector.named(endpoint.definition.type.name);
  const type = isOwn ? endpoint.definition.type : typeForKind(gvk);
  return schemaOf(type, collector);
}

function schemaOf(type: StructType | undefined, collector: SchemaCollector): OpenApiSchema {
  return type === undefined ? { type: 'object' } : collector.reference(type);
}

export function answerSchema(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  operation: Operation,
  collector: SchemaCollector,
): OpenApiSchema {
  const meta = (kind: string) =>
    schemaOf(typeForKind({ group: 'meta.k8s.io', version: 'v1', kind }), collector);
  switch (operation.answer) {
    case 'text':
      return { type: 'string' };
    case 'status':
      return meta('Status');
    case 'watch-event':
      return meta('WatchEvent');
    case 'object':
      return objectSchema(endpoint, path, collector);
    case 'list':
      return listSchema(endpoint, collector) ?? itemsSchema(endpoint, path, collector);
  }
}

function listSchema(
  { definition, custom, listKind }: ResourceEndpoint,
  collector: SchemaCollector,
): OpenApiSchema | undefined {
  const { name } = definition.type;
  if (custom) return collector.named(`${name.slice(0, name.lastIndexOf('.'))}.${listKind ?? ''}`);
  const type = typeForKind({ ...definition, kind: `${definition.kind}List` });
  return type && collector.reference(type);
}

function itemsSchema(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  collector: SchemaCollector,
): OpenApiSchema {
  const items = { type: 'array', items: objectSchema(endpoint, path, collector) };
  return { type: 'object', properties: { items } };
}

export function bodyOf(
  endpoint: ResourceEndpoint,
  path: PathOperations,
  operation: Operation,
  collector: SchemaCollector,
) {
  if (operation.body === undefined) return undefined;
  if (operation.body === 'patch') {
    const types = endpoint.custom ? patchTypes.filter((t) => !t.includes('strategic')) : patchTypes;
    return { types, required: true, schema: collector.named(patchDefinition) };
  }
  const deleteOptions = { group: 'meta.k8s.io', version: 'v1', kind: 'DeleteOptions' };
  return {
    types: ['*/*'],
    required: operation.body === 'object',
    schema:
      operation.body === 'delete-options'
        ? schemaOf(typeForKind(deleteOptions), collector)
        : objectSchema(endpoint, path, collector),
  };
}
