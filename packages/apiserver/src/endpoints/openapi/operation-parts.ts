// What the operations of both OpenAPI versions are made of: schemas of bodies and answers, kinds,
// tags, media types.

import {
  builtinKinds,
  typeForKind,
  type GroupVersionKind,
  type StructType,
} from '@keelson/apimachinery';
import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';
import type { Operation, PathOperations } from './operations.ts';
import type { OpenApiSchema, SchemaCollector } from './schemas.ts';

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

function objectType(endpoint: ResourceEndpoint, path: PathOperations): StructType | undefined {
  const gvk = gvkOf(endpoint, path);
  return gvk.kind === endpoint.definition.kind ? endpoint.definition.type : typeForKind(gvk);
}

export function answerSchema(
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

export function bodyOf(
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
export function kindsByDefinition(
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

export function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
