// Type descriptors as OpenAPI schemas, for version 3 (`#/components/schemas/…`) and version 2
// (`#/definitions/…`), with the `x-kubernetes-*` extensions that kubectl and other tools read.

import {
  builtinType,
  type Field,
  type GroupVersionKind,
  type StructType,
  type TypeRef,
} from '@keelson/apimachinery';

export type OpenApiVersion = 2 | 3;
export interface OpenApiSchema {
  [key: string]: unknown;
}

/** The body of every patch, whatever its format. It is no type, only a name. */
export const patchDefinition = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';
const patchSchema: OpenApiSchema = {
  description:
    'Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.',
  type: 'object',
};

/** Collects the schemas of built-in types and everything they refer to. */
export interface SchemaCollector {
  /** Adds the type and answers a reference to it. */
  reference(type: StructType): OpenApiSchema;
  /** A reference to a definition that somebody else makes. */
  named(name: string): OpenApiSchema;
  /** A collected schema by definition name. */
  schema(name: string): OpenApiSchema | undefined;
}

/** `kindsOf` gives the kinds that a definition is the schema of. */
export function createSchemaCollector(
  version: OpenApiVersion,
  kindsOf: (definition: string) => readonly GroupVersionKind[],
): SchemaCollector {
  const found = new Map<string, OpenApiSchema>();
  const prefix = version === 3 ? '#/components/schemas/' : '#/definitions/';
  const scalarSchema = createScalarSchemas(version, (name, schema) => {
    if (!found.has(name)) {
      const description = builtinType(name)?.description;
      found.set(name, description ? { description, ...schema } : schema);
    }
    return { $ref: prefix + name };
  });
  const reference = (type: StructType): OpenApiSchema => {
    if (!found.has(type.name)) {
      // Entered before it is made: schemas may refer to themselves.
      found.set(type.name, {});
      found.set(type.name, structSchema(type));
    }
    return { $ref: prefix + type.name };
  };
  const structSchema = (type: StructType): OpenApiSchema => {
    const properties = Object.fromEntries(type.fields.map((f) => [f.name, fieldSchema(f)]));
    return describeStruct(type, properties, kindsOf(type.name));
  };
  const fieldSchema = (field: Field): OpenApiSchema => {
    const schema = typeSchema(field.type);
    const extra = describeField(field, version);
    if (version === 2 || !('$ref' in schema)) return { ...extra, ...schema };
    // A reference with siblings is only valid inside allOf.
    return Object.keys(extra).length === 0 ? schema : { ...extra, allOf: [schema] };
  };
  const typeSchema = (type: TypeRef): OpenApiSchema => {
    switch (type.kind) {
      case 'list':
        return {
          type: 'array',
          items: itemSchema(type.items),
          'x-kubernetes-list-type': type.listType,
          ...(type.mapKeys.length > 0 ? { 'x-kubernetes-list-map-keys': type.mapKeys } : {}),
        };
      case 'map':
        return {
          type: 'object',
          additionalProperties: itemSchema(type.values),
          ...(type.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
        };
      case 'struct':
        return reference(type.type);
      default:
        return scalarSchema(type.kind);
    }
  };
  const itemSchema = (type: TypeRef): OpenApiSchema => {
    const schema = typeSchema(type);
    if (version === 2 || !('$ref' in schema))
      return type.kind === 'string' && version === 3 ? { ...schema, default: '' } : schema;
    return type.kind === 'struct' ? { allOf: [schema], default: {} } : schema;
  };
  return {
    reference,
    named: (name) => ({ $ref: prefix + name }),
    schema(name) {
      if (name === patchDefinition) return patchSchema;
      const type = found.has(name) ? undefined : builtinType(name);
      if (type !== undefined) reference(type);
      return found.get(name);
    },
  };
}

/** Some scalars are definitions of their own, which `define` adds and refers to. */
function createScalarSchemas(
  version: OpenApiVersion,
  define: (name: string, schema: OpenApiSchema) => OpenApiSchema,
) {
  return (kind: ScalarKind): OpenApiSchema => {
    const named = namedScalars[kind];
    if (named === undefined) return plainScalar(kind);
    return define(named.name, version === 3 ? named.v3 : named.v2);
  };
}

function describeStruct(
  type: StructType,
  properties: Record<string, OpenApiSchema>,
  kinds: readonly GroupVersionKind[],
): OpenApiSchema {
  const required = type.fields.filter((f) => f.required).map((f) => f.name);
  return {
    ...(type.description ? { description: type.description } : {}),
    type: 'object',
    ...(type.fields.length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
    ...(type.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(type.preserveUnknown ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
    ...(kinds.length > 0
      ? {
          'x-kubernetes-group-version-kind': kinds.map(({ group, kind, version }) => ({
            group,
            kind,
            version,
          })),
        }
      : {}),
  };
}

function describeField(field: Field, version: OpenApiVersion): OpenApiSchema {
  return {
    ...(field.description ? { description: field.description } : {}),
    ...(field.enum ? { enum: field.enum } : {}),
    ...(field.presence === 'always' && version === 3 ? defaultOf(field.type) : {}),
    ...(field.mergeKey ? { 'x-kubernetes-patch-merge-key': field.mergeKey } : {}),
    ...(field.patchStrategy
      ? { 'x-kubernetes-patch-strategy': field.patchStrategy.join(',') }
      : {}),
  };
}

type ScalarKind = Exclude<TypeRef['kind'], 'list' | 'map' | 'struct'>;

function plainScalar(kind: ScalarKind): OpenApiSchema {
  switch (kind) {
    case 'bool':
      return { type: 'boolean' };
    case 'int32':
    case 'int64':
      return { type: 'integer', format: kind };
    case 'double':
      return { type: 'number', format: 'double' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    default:
      return { type: 'string' };
  }
}

interface NamedScalar {
  readonly name: string;
  readonly v2: OpenApiSchema;
  readonly v3: OpenApiSchema;
}
const same = (name: string, schema: OpenApiSchema): NamedScalar => ({
  name: `io.k8s.apimachinery.pkg.${name}`,
  v2: schema,
  v3: schema,
});

/** Scalars of apimachinery that are definitions of their own. */
const namedScalars: Readonly<Partial<Record<ScalarKind, NamedScalar>>> = {
  time: same('apis.meta.v1.Time', { type: 'string', format: 'date-time' }),
  'micro-time': same('apis.meta.v1.MicroTime', { type: 'string', format: 'date-time' }),
  duration: same('apis.meta.v1.Duration', { type: 'string' }),
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    v2: { type: 'string' },
    v3: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  'int-or-string': {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    v2: { type: 'string', format: 'int-or-string' },
    v3: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  },
  any: same('runtime.RawExtension', { type: 'object' }),
  'fields-v1': same('apis.meta.v1.FieldsV1', { type: 'object' }),
};

function defaultOf(type: TypeRef): OpenApiSchema {
  switch (type.kind) {
    case 'string':
      return { default: '' };
    case 'bool':
      return { default: false };
    case 'int32':
    case 'int64':
    case 'double':
      return { default: 0 };
    case 'struct':
      return { default: {} };
    default:
      return {};
  }
}
