// The schema of an object as CEL needs it: the part of a structural OpenAPI schema that decides
// types, bounds and equality. A schema as it stands in a CustomResourceDefinition is one.

import type { JsonLike } from '../../values/json.ts';

export interface StructuralSchema {
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly default?: JsonLike;
  readonly enum?: readonly JsonLike[];
  readonly required?: readonly string[];
  readonly maxLength?: number | bigint;
  readonly maxItems?: number | bigint;
  readonly maxProperties?: number | bigint;
  readonly items?: StructuralSchema | readonly StructuralSchema[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema | boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/** The schema of all items, if there is one. */
export function itemsOf({ items }: StructuralSchema): StructuralSchema | undefined {
  return items === undefined || isList(items) ? undefined : items;
}

function isList(
  items: StructuralSchema | readonly StructuralSchema[],
): items is readonly StructuralSchema[] {
  return Array.isArray(items);
}

/** The schema of the values of a map, if it is one. */
export function valuesOf({
  additionalProperties: values,
}: StructuralSchema): StructuralSchema | undefined {
  return typeof values === 'object' ? values : undefined;
}

const text: StructuralSchema = { type: 'string' };
const nameFields: StructuralSchema = {
  type: 'object',
  properties: { name: text, generateName: text },
};

/**
 * The schema of a resource: apiVersion, kind, metadata.name and metadata.generateName are there
 * whatever the schema says, and nothing else of metadata is.
 */
export function asResource(schema: StructuralSchema): StructuralSchema {
  let resource = resources.get(schema);
  if (resource === undefined) {
    const properties = { ...schema.properties, apiVersion: text, kind: text, metadata: nameFields };
    resource = { ...schema, properties };
    resources.set(schema, resource);
  }
  return resource;
}

const resources = new WeakMap<StructuralSchema, StructuralSchema>();

export function isEmbeddedResource(schema: StructuralSchema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true;
}
