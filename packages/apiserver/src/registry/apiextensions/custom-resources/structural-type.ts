// The type descriptor of a custom resource: what patches, server-side apply and OpenAPI walk by.
// Descriptors are built when they are first looked into, field by field, so that a definition which
// nobody uses costs nothing.

import type { Field, StructType, TypeRef } from '@keelson/apimachinery';
import {
  additionalSchema,
  defaultOf,
  isEmbeddedResource,
  isIntOrString,
  itemSchema,
  listMapKeys,
  listTypeOf,
  preservesUnknown,
  propertySchema,
  type JsonSchema,
} from '../schema/json-schema.ts';

export interface StructuralTypeNames {
  /** Made-up unique name, `com.example.v1.Thing`. */
  readonly name: string;
  /** The kind. */
  readonly goName: string;
  /** Descriptor of `metadata`. */
  readonly objectMeta: StructType;
}

/**
 * The descriptor of a whole resource: the fields of the schema, and apiVersion, kind and metadata.
 */
export function structuralType(
  schema: JsonSchema | undefined,
  names: StructuralTypeNames,
): StructType {
  return structOf(schema ?? {}, { ...names, isResource: true });
}

interface StructNames extends StructuralTypeNames {
  readonly isResource: boolean;
}

const textType: TypeRef = { kind: 'string' };
const anyType: TypeRef = { kind: 'any' };

function structOf(schema: JsonSchema, names: StructNames): StructType {
  let fields: readonly Field[] | undefined;
  let byName: ReadonlyMap<string, Field> | undefined;
  return {
    name: names.name,
    goName: names.goName,
    get fields() {
      return (fields ??= fieldsOf(schema, names));
    },
    get byName() {
      return (byName ??= new Map(this.fields.map((f) => [f.name, f])));
    },
    atomic: schema['x-kubernetes-map-type'] === 'atomic',
    preserveUnknown: preservesUnknown(schema),
    ...(schema.description === undefined ? {} : { description: schema.description }),
  };
}

function fieldsOf(schema: JsonSchema, names: StructNames): Field[] {
  const fields: Field[] = [];
  if (names.isResource) {
    const metadata: TypeRef = { kind: 'struct', type: names.objectMeta };
    fields.push(
      field('apiVersion', { type: textType, goType: 'string' }),
      field('kind', { type: textType, goType: 'string' }),
      field('metadata', { type: metadata, goType: 'v1.ObjectMeta' }),
    );
  }
  const required = new Set(schema.required);
  for (const name of Object.keys(schema.properties ?? {})) {
    if (names.isResource && fields.some((f) => f.name === name)) continue;
    const property = propertySchema(schema, name) ?? {};
    const inner = { ...names, name: `${names.name}.${name}`, goName: name };
    fields.push(
      field(name, {
        type: typeOf(property, inner),
        goType: property.type ?? 'interface {}',
        required: required.has(name),
        schema: property,
      }),
    );
  }
  return fields;
}

interface FieldParts {
  readonly type: TypeRef;
  readonly goType: string;
  readonly required?: boolean;
  readonly schema?: JsonSchema;
}

function field(name: string, { type, goType, required = false, schema }: FieldParts): Field {
  const texts = schema?.enum?.filter((item) => typeof item === 'string');
  const preset = defaultOf(schema);
  return {
    name,
    type,
    goType,
    presence: 'pointer',
    required,
    protobuf: 0,
    ...(texts?.length ? { enum: texts } : {}),
    ...(preset === undefined ? {} : { default: preset }),
    ...(schema?.description === undefined ? {} : { description: schema.description }),
  };
}

function typeOf(schema: JsonSchema | undefined, names: StructNames): TypeRef {
  if (schema === undefined) return anyType;
  if (isIntOrString(schema)) return { kind: 'int-or-string' };
  switch (schema.type) {
    case 'string':
      return textType;
    case 'boolean':
      return { kind: 'bool' };
    case 'integer':
      return { kind: schema.format === 'int32' ? 'int32' : 'int64' };
    case 'number':
      return { kind: 'double' };
    case 'array':
      return listOf(schema, names);
    case 'object':
      return objectOf(schema, names);
    default:
      return anyType;
  }
}

function listOf(schema: JsonSchema, names: StructNames): TypeRef {
  const declared = listTypeOf(schema);
  const listType = declared === 'set' || declared === 'map' ? declared : 'atomic';
  const inner = { ...names, isResource: isEmbeddedResource(itemSchema(schema)) };
  const items = typeOf(itemSchema(schema), { ...inner, name: `${names.name}[]` });
  return { kind: 'list', items, listType, mapKeys: listMapKeys(schema) };
}

function objectOf(schema: JsonSchema, names: StructNames): TypeRef {
  if (schema.additionalProperties === undefined || schema.additionalProperties === false) {
    const inner = { ...names, isResource: isEmbeddedResource(schema) };
    return { kind: 'struct', type: structOf(schema, inner) };
  }
  const atomic = schema['x-kubernetes-map-type'] === 'atomic';
  const inner = { ...names, name: `${names.name}{}` };
  return { kind: 'map', values: typeOf(additionalSchema(schema), inner), atomic };
}
