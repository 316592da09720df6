// The promises of `x-kubernetes-list-type`: no value twice in a set, no key twice in a map.

import { fieldError, isJsonObject, type FieldError, type JsonValue } from '@keelson/apimachinery';
import { childPath, indexPath, keyPath } from '../schema/field-path.ts';
import {
  additionalSchema,
  itemSchema,
  listMapKeys,
  listTypeOf,
  propertySchema,
  sortedNames,
  type JsonSchema,
} from '../schema/json-schema.ts';

/** Every repeated item of the sets and maps in the value, each value once. */
export function validateListTypes(
  value: JsonValue | undefined,
  schema: JsonSchema | undefined,
  path = '',
): FieldError[] {
  if (schema === undefined) return [];
  if (Array.isArray(value)) {
    const items = itemSchema(schema);
    return [
      ...repeatedItems(value, schema, path),
      ...value.flatMap((item, i) => validateListTypes(item, items, indexPath(path, i))),
    ];
  }
  if (!isJsonObject(value)) return [];
  const additional = additionalSchema(schema);
  return sortedNames(value).flatMap((name) => {
    const property = propertySchema(schema, name);
    if (property) return validateListTypes(value[name], property, childPath(path, name));
    return validateListTypes(value[name], additional, keyPath(path, name));
  });
}

function repeatedItems(list: readonly JsonValue[], schema: JsonSchema, path: string): FieldError[] {
  switch (listTypeOf(schema)) {
    case 'set':
      return duplicates(list, path);
    case 'map': {
      const stranger = list.findIndex((item) => item !== null && !isJsonObject(item));
      if (stranger >= 0) {
        const why = 'must be an object for an array of list-type map';
        return [fieldError.invalid(indexPath(path, stranger), list[stranger], why)];
      }
      const keys = listMapKeys(schema);
      return duplicates(
        list.map((item) => keyOf(item, keys)),
        path,
      );
    }
    default:
      return [];
  }
}

function keyOf(item: JsonValue, keys: readonly string[]): JsonValue {
  if (!isJsonObject(item)) return {};
  const present = keys.filter((key) => item[key] !== undefined).sort();
  return Object.fromEntries(present.map((key) => [key, item[key]]));
}

/** The second appearance of each value; later ones are not repeated. */
function duplicates(values: readonly JsonValue[], path: string): FieldError[] {
  const seen = new Map<string, number>();
  const errors: FieldError[] = [];
  values.forEach((value, i) => {
    const text = canonicalText(value);
    const times = (seen.get(text) ?? 0) + 1;
    seen.set(text, times);
    if (times === 2) errors.push(fieldError.duplicate(indexPath(path, i), value));
  });
  return errors;
}

/** JSON with sorted keys, so that equal values have equal texts. */
function canonicalText(value: JsonValue): string {
  return JSON.stringify(value, (_key, v: unknown) => {
    if (typeof v === 'bigint') return JSON.rawJSON(v.toString());
    if (!isJsonObject(v)) return v;
    return Object.fromEntries(sortedNames(v).map((name) => [name, v[name]]));
  });
}
