// The CEL types of served resources, as expressions about them are checked against: built-in kinds
// from their type tables, custom ones from the schema that their definition publishes.
//
// COMPAT: types follow the OpenAPI documents of version 3. What these give no type (quantities,
// which are strings or numbers) has no type here either, and a type within itself is an object
// without fields.

import {
  builtinType,
  isJsonObject,
  type JsonObject,
  type StructType,
  type TypeRef,
} from '@keelson/apimachinery';
import { declareType, type DeclaredType, type StructuralSchema } from '@keelson/cel/kubernetes';
import type { ResourceEndpoint } from '../resource-endpoint.ts';

const known = new WeakMap<ResourceEndpoint, DeclaredType>();

/** Undefined when nothing is known of the fields. */
export function declaredTypeOf(endpoint: ResourceEndpoint): DeclaredType | undefined {
  let declared = known.get(endpoint);
  if (declared === undefined) {
    const { kind } = endpoint.definition;
    declared = declareType(schemaOf(endpoint), kind);
    if (declared !== undefined) known.set(endpoint, declared);
  }
  return declared;
}

function schemaOf({ definition, publishedSchemas }: ResourceEndpoint): StructuralSchema {
  const published = publishedSchemas?.(3)[definition.type.name];
  return published === undefined ? structSchema(definition.type, []) : resolved(published);
}

const anything: StructuralSchema = { type: 'object' };

function structSchema(type: StructType, around: readonly StructType[]): StructuralSchema {
  if (around.includes(type)) return anything;
  const inside = [...around, type];
  const properties = Object.fromEntries(
    type.fields.map((field) => [field.name, fieldSchema(field.type, inside)]),
  );
  return { type: 'object', properties };
}

function fieldSchema(type: TypeRef, around: readonly StructType[]): StructuralSchema {
  switch (type.kind) {
    case 'struct':
      return structSchema(type.type, around);
    case 'list':
      return { type: 'array', items: fieldSchema(type.items, around) };
    case 'map':
      return { type: 'object', additionalProperties: fieldSchema(type.values, around) };
    case 'bool':
      return { type: 'boolean' };
    case 'int32':
    case 'int64':
      return { type: 'integer' };
    case 'double':
      return { type: 'number' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'time':
    case 'micro-time':
      return { type: 'string', format: 'date-time' };
    case 'int-or-string':
      return { 'x-kubernetes-int-or-string': true };
    case 'quantity':
      return {};
    case 'any':
    case 'fields-v1':
      return anything;
    default:
      return { type: 'string' };
  }
}

const referencePrefix = '#/components/schemas/';

/** A published schema with the built-in types that it refers to in their places. */
function resolved(schema: JsonObject): StructuralSchema {
  const [only] = Array.isArray(schema['allOf']) ? schema['allOf'] : [];
  const named = schema['$ref'] ?? (isJsonObject(only) ? only['$ref'] : undefined);
  if (typeof named === 'string') {
    const type = builtinType(named.slice(referencePrefix.length));
    return type === undefined ? anything : structSchema(type, []);
  }
  const { properties, items, additionalProperties } = schema;
  return {
    ...(schema as StructuralSchema),
    ...(isJsonObject(properties) && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, inner]) => [name, resolved(inner as JsonObject)]),
      ),
    }),
    ...(isJsonObject(items) && { items: resolved(items) }),
    ...(isJsonObject(additionalProperties) && {
      additionalProperties: resolved(additionalProperties),
    }),
  };
}
