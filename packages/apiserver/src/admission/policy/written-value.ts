// What an expression of a mutating policy evaluates to, as JSON: objects that it writes, lists of
// JSON patch operations.

import type { JsonObject, JsonValue } from '@keelson/apimachinery';
import { isList, isMap, isError, type CelObject, type CelResult } from '@keelson/cel';
import { applyConfigurationType } from '../../registry/expressions/admission-types.ts';

/** The value is not what a mutation needs; the message is kube-apiserver's. */
export class WrittenValueError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WrittenValueError';
  }
}

/** The configuration that `Object{…}` writes. */
export function writtenConfiguration(value: CelResult): JsonObject {
  if (isObject(value) && value.type.name === applyConfigurationType.name) {
    return objectJson(value, applyConfigurationType.name);
  }
  throw new WrittenValueError(
    'unsupported return type from ApplyConfiguration expression: expected Object',
  );
}

/** The operations of `[JSONPatch{…}]`. */
export function writtenPatch(value: CelResult): JsonObject[] {
  if (isError(value) || !isList(value)) {
    throw new WrittenValueError('type mismatch: JSONPatchType.expression should evaluate to array');
  }
  return Array.from({ length: value.size }, (_, i) => {
    const operation = value.get(i);
    if (isObject(operation)) return membersJson(operation, '');
    throw new WrittenValueError(
      'type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch',
    );
  });
}

function isObject(value: CelResult): value is CelObject {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'object';
}

/** Types of objects inside of others are named after the fields that hold them. */
function objectJson(object: CelObject, path: string): JsonObject {
  const { name } = object.type;
  if (path === '' || name === path) return membersJson(object, name);
  throw new WrittenValueError(
    `type mismatch: unexpected type name "${name}", expected "${path}", which matches field name path from root Object type`,
  );
}

function membersJson(object: CelObject, path: string): JsonObject {
  const json: JsonObject = {};
  for (const field of object.fields()) {
    const value = object.get(field);
    if (value === undefined) continue;
    json[field] = toJson(value, path === '' ? '' : `${path}.${field}`);
  }
  return json;
}

function toJson(value: CelResult, path: string): JsonValue {
  if (isError(value)) throw new WrittenValueError(value.message);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (isList(value)) {
    return Array.from({ length: value.size }, (_, i) => toJson(value.get(i), path));
  }
  if (isMap(value)) {
    const json: JsonObject = {};
    for (const key of value.keys()) {
      if (typeof key !== 'string') throw new WrittenValueError('map keys must be strings');
      json[key] = toJson(value.get(key) ?? null, path === '' ? '' : `${path}.${key}`);
    }
    return json;
  }
  if (isObject(value)) return objectJson(value, path);
  throw new WrittenValueError(`unsupported type: ${value.kind}`);
}
