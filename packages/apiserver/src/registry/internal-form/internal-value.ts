// Kubernetes validates an internal form of its objects, which shows where an error repeats a whole
// struct: Go's field names, every field present, absent pointers and lists as null. This gives a
// value of the API that form. Types of meta/v1 have JSON names there too and are left as they are.

import {
  builtinType,
  goFieldName,
  wasGivenEmpty,
  type Field,
  type StructType,
  type TypeRef,
} from '@keelson/apimachinery';
import { hostFields, internalOrder } from './internal-fields.ts';

type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * The internal form of a value of a built-in struct, named by its OpenAPI name or, in the core
 * group, by its short name (`PodSpec`).
 */
export function internalValue(typeName: string, value: unknown): unknown {
  const type = builtinType(typeName.includes('.') ? typeName : `io.k8s.api.core.v1.${typeName}`);
  if (!type) throw new Error(`there is no built-in type ${typeName}`);
  return internalStruct(type, value);
}

function internalStruct(type: StructType, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (type.name.startsWith('io.k8s.apimachinery.')) return value;
  const source = value as JsonRecord;
  if (type.goName === 'PodSpec') return internalPodSpec(type, source);
  return structFields(type, source);
}

function structFields(type: StructType, source: JsonRecord): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const field of orderedFields(type)) {
    if (isEmbeddedMetadata(field)) Object.assign(out, source[field.name]);
    else out[goFieldName(type.goName, field.name)] = internalField(field, source);
  }
  return out;
}

/** Objects embed their metadata, so its fields stand beside their own. */
const isEmbeddedMetadata = (field: Field) =>
  field.name === 'metadata' &&
  field.type.kind === 'struct' &&
  field.type.type.goName === 'ObjectMeta';

function orderedFields(type: StructType): readonly Field[] {
  const order = internalOrder(type.goName);
  if (!order) return type.fields;
  return order.map((name) => type.byName.get(name)).filter((field) => field !== undefined);
}

function internalPodSpec(type: StructType, spec: JsonRecord): Record<string, unknown> {
  const out = structFields(type, spec);
  const context = spec['securityContext'];
  if (context === undefined) return out;
  const host: Record<string, unknown> = {};
  for (const [name, absent] of Object.entries(hostFields)) {
    host[goFieldName('PodSecurityContext', name)] = spec[name] ?? absent;
  }
  out['SecurityContext'] = { ...host, ...(out['SecurityContext'] as JsonRecord) };
  return out;
}

function internalField(field: Field, source: JsonRecord): unknown {
  const value = source[field.name];
  if (value === undefined || value === null) {
    if (wasGivenEmpty(source, field.name)) return field.type.kind === 'list' ? [] : {};
    return field.presence === 'pointer' || field.nullable ? null : zeroValue(field.type);
  }
  return convert(field.type, value);
}

function convert(type: TypeRef, value: unknown): unknown {
  switch (type.kind) {
    case 'struct':
      return internalStruct(type.type, value);
    case 'list':
      return Array.isArray(value) ? value.map((item) => convert(type.items, item)) : value;
    case 'map':
      return sortedMap(value as JsonRecord, (item) => convert(type.values, item));
    default:
      return value;
  }
}

/** Go writes maps in the order of their keys. */
export function sortedMap(
  map: JsonRecord,
  each: (value: unknown) => unknown = (value) => value,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((key) => [key, each(map[key])]),
  );
}

/** A map of texts, as an error shows it; an absent one is null. */
export function internalMap<T extends object>(owner: T | undefined, field: keyof T & string) {
  const map = owner?.[field] as JsonRecord | null | undefined;
  if (map !== undefined && map !== null) return sortedMap(map);
  return owner !== undefined && wasGivenEmpty(owner, field) ? {} : null;
}

/** A list of texts, as an error shows it; an absent one is null. */
export function internalList<T extends object>(owner: T | undefined, field: keyof T & string) {
  const list = owner?.[field] ?? undefined;
  if (list !== undefined) return list;
  return owner !== undefined && wasGivenEmpty(owner, field) ? [] : null;
}

function zeroValue(type: TypeRef): unknown {
  switch (type.kind) {
    case 'string':
    case 'duration':
      return '';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'int-or-string':
      return 0;
    case 'quantity':
      return '0';
    case 'struct':
      return internalStruct(type.type, {});
    default:
      return null;
  }
}
