// What a connection is asked for (PodExecOptions, ServiceProxyOptions …), read from the query and the
// path of the request. It is the object that admission judges.

import {
  formatApiVersion,
  typeForKind,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type TypeRef,
} from '@keelson/apimachinery';
import type { ResourceRequest } from './resource-request.ts';

/** Undefined for subresources without options. Values that do not parse are left out. */
export function connectOptions({
  context,
  endpoint,
  subresource,
}: ResourceRequest): KubeObject | undefined {
  const gvk = endpoint.definition.subresources.find(({ name }) => name === subresource)?.gvk;
  const type = gvk && typeForKind(gvk);
  if (gvk === undefined || type === undefined) return undefined;
  const options: JsonObject = { kind: gvk.kind, apiVersion: formatApiVersion(gvk) };
  const { query, parts } = context.info;
  for (const { name, type: fieldType } of type.fields) {
    if (name in options) continue;
    const value =
      name === 'path' ? pathOption(parts.slice(3), query) : read(fieldType, query.getAll(name));
    if (value !== undefined) options[name] = value;
  }
  return options as unknown as KubeObject;
}

/** COMPAT: for a proxy it is what follows in the path. */
function pathOption(parts: readonly string[], query: URLSearchParams): string | undefined {
  return parts.length > 0 ? `/${parts.join('/')}` : (query.get('path') ?? undefined);
}

function read(type: TypeRef, texts: readonly string[]): JsonValue | undefined {
  const [first] = texts;
  if (first === undefined) return undefined;
  switch (type.kind) {
    case 'bool':
      return first === 'false' || first === '0' ? undefined : true;
    case 'list':
      return texts.map((text) => read(type.items, [text]) ?? '');
    case 'int32':
    case 'int64':
      return /^-?\d+$/.test(first) ? Number(first) : undefined;
    default:
      return first === '' ? undefined : first;
  }
}
