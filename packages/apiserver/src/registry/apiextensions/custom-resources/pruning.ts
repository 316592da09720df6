// Removes what the schema of a custom resource does not name, and the nulls that it does not allow.
// The paths of removed fields are what `fieldValidation` warns about or refuses.

import { isJsonObject, type JsonObject, type JsonValue } from '@keelson/apimachinery';
import { childPath, indexPath } from '../schema/field-path.ts';
import {
  additionalSchema,
  defaultOf,
  isEmbeddedResource,
  itemSchema,
  metaFields,
  preservesUnknown,
  propertySchema,
  type JsonSchema,
} from '../schema/json-schema.ts';

/**
 * Removes unknown fields from `object` in place; apiVersion, kind and metadata of the root and of
 * embedded resources stay. Returns the paths of what was removed, sorted.
 */
export function pruneUnknownFields(object: JsonObject, schema: JsonSchema | undefined): string[] {
  const removed: string[] = [];
  pruneObject(object, { schema: schema ?? {}, path: '', isResource: true, removed });
  return removed.sort();
}

/** As `pruneUnknownFields` for a value inside an object, such as a default. */
export function pruneValue(value: JsonValue, schema: JsonSchema): string[] {
  const removed: string[] = [];
  prune(value, schema, { path: '', removed });
  return removed.sort();
}

interface Report {
  readonly path: string;
  readonly removed: string[];
}
interface ObjectPlace extends Report {
  readonly schema: JsonSchema;
  readonly isResource: boolean;
}

function prune(value: JsonValue, schema: JsonSchema | undefined, report: Report): void {
  const { path, removed } = report;
  if (Array.isArray(value)) {
    const items = itemSchema(schema);
    // A list without schema of its own under preserved fields is kept whole.
    if (items === undefined && preservesUnknown(schema)) return;
    value.forEach((item, i) => {
      const at = { path: indexPath(path, i), removed };
      if (preservesUnknown(schema)) keepUnknown(item, items, at);
      else prune(item, items, at);
    });
    return;
  }
  if (!isJsonObject(value)) return;
  const isResource = isEmbeddedResource(schema);
  pruneObject(value, { schema: schema ?? {}, path, isResource, removed });
}

/** Inside preserved fields only what the schema names further down is pruned. */
function keepUnknown(value: JsonValue, schema: JsonSchema | undefined, report: Report): void {
  if (schema === undefined) return;
  prune(value, { ...schema, 'x-kubernetes-preserve-unknown-fields': true }, report);
}

function pruneObject(object: JsonObject, place: ObjectPlace): void {
  const { schema, path, isResource, removed } = place;
  const additional = additionalSchema(schema);
  const allowsOthers = schema.additionalProperties !== undefined;
  const keep = preservesUnknown(schema);
  for (const name of Object.keys(object)) {
    if (isResource && metaFields.has(name)) continue;
    const value = object[name];
    const property = propertySchema(schema, name);
    const at = { path: childPath(path, name), removed };
    if (property !== undefined || allowsOthers) {
      if (value !== undefined) prune(value, property ?? additional, at);
    } else if (!keep) {
      removed.push(at.path);
      delete object[name];
    }
  }
}

/** Removes nulls where the schema neither allows them nor has a default to put there instead. */
export function pruneForbiddenNulls(value: JsonValue, schema: JsonSchema | undefined): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    for (const item of value) pruneForbiddenNulls(item, itemSchema(schema));
    return;
  }
  if (!isJsonObject(value)) return;
  const additional = additionalSchema(schema);
  for (const name of Object.keys(value)) {
    const inner = propertySchema(schema, name) ?? additional;
    const item = value[name];
    if (item === null) {
      if (inner && !inner.nullable && defaultOf(inner) === undefined) delete value[name];
    } else if (item !== undefined) {
      pruneForbiddenNulls(item, inner);
    }
  }
}
