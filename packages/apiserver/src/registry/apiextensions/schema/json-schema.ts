// The schema of custom resources (`apiextensions.k8s.io/v1` JSONSchemaProps) as it stands in a
// definition. Everything schema-driven works on this JSON itself: nothing is built per definition
// before it is used, so a thousand definitions cost what their JSON costs.

import { isJsonObject, type JsonValue } from '@keelson/apimachinery';

export interface ValidationRule {
  readonly rule?: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

export type SchemaMap = Readonly<Record<string, JsonSchema>>;

export interface JsonSchema {
  readonly id?: string;
  readonly $schema?: string;
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly default?: JsonValue;
  readonly maximum?: number | bigint;
  readonly exclusiveMaximum?: boolean;
  readonly minimum?: number | bigint;
  readonly exclusiveMinimum?: boolean;
  readonly maxLength?: number | bigint;
  readonly minLength?: number | bigint;
  readonly pattern?: string;
  readonly maxItems?: number | bigint;
  readonly minItems?: number | bigint;
  readonly uniqueItems?: boolean;
  readonly multipleOf?: number | bigint;
  readonly enum?: readonly JsonValue[];
  readonly maxProperties?: number | bigint;
  readonly minProperties?: number | bigint;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly properties?: SchemaMap;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly patternProperties?: SchemaMap;
  readonly dependencies?: Readonly<Record<string, JsonSchema | readonly string[]>>;
  readonly additionalItems?: JsonSchema | boolean;
  readonly definitions?: SchemaMap;
  readonly externalDocs?: { readonly description?: string; readonly url?: string };
  readonly example?: JsonValue;
  readonly nullable?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

/** The fields of every resource that its schema need not name. */
export const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * The one schema of all items; undefined when there is none, or a list of them (which is not
 * structural).
 */
export function itemSchema(schema: JsonSchema | undefined): JsonSchema | undefined {
  const { items } = schema ?? {};
  return items === undefined || Array.isArray(items) ? undefined : (items as JsonSchema);
}

/** The schema of the values of a map; undefined for `true`, `false` and absent. */
export function additionalSchema(schema: JsonSchema | undefined): JsonSchema | undefined {
  const additional = schema?.additionalProperties;
  return isJsonObject(additional) ? (additional as JsonSchema) : undefined;
}

/** The schema of one property by name. Names such as `constructor` are ordinary. */
export function propertySchema(
  schema: JsonSchema | undefined,
  name: string,
): JsonSchema | undefined {
  const properties = schema?.properties;
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** `default` counts unless it is null: a null default is no default. */
export function defaultOf(schema: JsonSchema | undefined): JsonValue | undefined {
  return schema?.default ?? undefined;
}

export function preservesUnknown(schema: JsonSchema | undefined): boolean {
  return schema?.['x-kubernetes-preserve-unknown-fields'] === true;
}
export function isEmbeddedResource(schema: JsonSchema | undefined): boolean {
  return schema?.['x-kubernetes-embedded-resource'] === true;
}
export function isIntOrString(schema: JsonSchema | undefined): boolean {
  return schema?.['x-kubernetes-int-or-string'] === true;
}
export function listTypeOf(schema: JsonSchema | undefined): string | undefined {
  return schema?.['x-kubernetes-list-type'];
}
export function listMapKeys(schema: JsonSchema | undefined): readonly string[] {
  return schema?.['x-kubernetes-list-map-keys'] ?? [];
}

/** Keys of a map of schemas in the order in which everything reports them. */
export function sortedNames(map: Readonly<Record<string, unknown>> | undefined): string[] {
  return map === undefined ? [] : Object.keys(map).sort();
}

/** All schemas directly inside another one, whatever the keyword. */
export function* subschemas(schema: JsonSchema): Generator<JsonSchema> {
  const { items, additionalProperties, additionalItems, dependencies } = schema;
  if (Array.isArray(items)) yield* items as readonly JsonSchema[];
  else if (items !== undefined) yield items as JsonSchema;
  for (const list of [schema.allOf, schema.anyOf, schema.oneOf]) yield* list ?? [];
  if (schema.not !== undefined) yield schema.not;
  for (const map of [schema.properties, schema.patternProperties, schema.definitions]) {
    yield* Object.values(map ?? {});
  }
  for (const either of [additionalProperties, additionalItems]) {
    if (isJsonObject(either)) yield either as JsonSchema;
  }
  for (const dependency of Object.values(dependencies ?? {})) {
    if (!Array.isArray(dependency)) yield dependency as JsonSchema;
  }
}

/** True when the predicate holds for the schema or any schema inside it. */
export function someSchema(
  schema: JsonSchema | undefined,
  predicate: (schema: JsonSchema) => boolean,
): boolean {
  if (schema === undefined) return false;
  if (predicate(schema)) return true;
  for (const inner of subschemas(schema)) if (someSchema(inner, predicate)) return true;
  return false;
}
