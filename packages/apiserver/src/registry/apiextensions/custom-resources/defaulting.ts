// Fills in the defaults of a schema. A null that the schema does not allow counts as missing.

import { copyJson, isJsonObject, type JsonValue } from '@keelson/apimachinery';
import {
  additionalSchema,
  defaultOf,
  itemSchema,
  propertySchema,
  someSchema,
  type JsonSchema,
} from '../schema/json-schema.ts';

const withDefaults = new WeakMap<JsonSchema, boolean>();

/**
 * Puts defaults into `value` in place, from the outside in, so that a defaulted object gets its own
 * defaults.
 */
export function applySchemaDefaults(value: JsonValue, schema: JsonSchema | undefined): void {
  if (schema === undefined || !hasDefaults(schema)) return;
  if (Array.isArray(value)) {
    const items = itemSchema(schema);
    value.forEach((item, i) => {
      if (isForbiddenNull(item, items)) value[i] = copyDefault(items) ?? null;
      applySchemaDefaults(value[i] ?? null, items);
    });
    return;
  }
  if (!isJsonObject(value)) return;
  for (const name of Object.keys(schema.properties ?? {})) {
    const property = propertySchema(schema, name);
    if (defaultOf(property) === undefined) continue;
    if (!Object.hasOwn(value, name) || isForbiddenNull(value[name], property)) {
      value[name] = copyDefault(property);
    }
  }
  const additional = additionalSchema(schema);
  for (const name of Object.keys(value)) {
    const property = propertySchema(schema, name);
    if (property === undefined && isForbiddenNull(value[name], additional)) {
      value[name] = copyDefault(additional) ?? null;
    }
    applySchemaDefaults(value[name] ?? null, property ?? additional);
  }
}

/** Whether there is any default to apply below; most schemas have none, and cost nothing then. */
function hasDefaults(schema: JsonSchema): boolean {
  let known = withDefaults.get(schema);
  if (known === undefined) {
    known = someSchema(schema, (inner) => defaultOf(inner) !== undefined);
    withDefaults.set(schema, known);
  }
  return known;
}

function isForbiddenNull(value: JsonValue | undefined, schema: JsonSchema | undefined): boolean {
  return value === null && schema !== undefined && !schema.nullable;
}

function copyDefault(schema: JsonSchema | undefined): JsonValue | undefined {
  return copyJson(defaultOf(schema));
}
