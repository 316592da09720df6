// The schemas of a custom resource and of its list as OpenAPI documents show them: the schema of the
// definition as it stands, with the fields that every resource has. Version 2 knows less than
// structural schemas do; what it lacks is left out, and what would then be refused is left open
// (k8s.io/apiextensions-apiserver pkg/controller/openapi).

import { isJsonObject, type JsonObject, type JsonValue } from '@keelson/apimachinery';

export type OpenApiVersion = 2 | 3;

export interface PublishedResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  /** Names of the definitions, `com.example.v1.Thing`. */
  readonly typeName: string;
  readonly listTypeName: string;
  /** Absent: nothing is known of the fields. */
  readonly schema: JsonObject | undefined;
  readonly preserveUnknownFields: boolean;
}

const conventions =
  'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';
const apiVersionText = `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${conventions}#resources`;
const kindText = `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${conventions}#types-kinds`;
const metadataText = `Standard object's metadata. More info: ${conventions}#metadata`;
const listMetadataText = `Standard list metadata. More info: ${conventions}#types-kinds`;
const metaTypes = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** By definition name. */
export function publishedSchemas(
  resource: PublishedResource,
  openApi: OpenApiVersion,
): Record<string, JsonObject> {
  const { group, version, kind, listKind } = resource;
  const gvk = (ofKind: string) => ({
    'x-kubernetes-group-version-kind': [{ group, kind: ofKind, version }],
  });
  return {
    [resource.typeName]: { ...objectSchema(resource, openApi), ...gvk(kind) },
    [resource.listTypeName]: { ...listSchema(resource, openApi), ...gvk(listKind) },
  };
}

function objectSchema(
  { schema, preserveUnknownFields }: PublishedResource,
  openApi: OpenApiVersion,
): JsonObject {
  const isOpen = preserveUnknownFields || schema?.['x-kubernetes-preserve-unknown-fields'] === true;
  // COMPAT: clients of version 2 would take a schema without properties for one that forbids all.
  if (schema === undefined || (openApi === 2 && isOpen)) return { type: 'object' };
  const shown = shownSchema(schema, openApi);
  const given = isJsonObject(shown['properties']) ? shown['properties'] : {};
  return { ...shown, properties: { ...given, ...resourceProperties(openApi) } };
}

function listSchema(
  { plural, kind, listKind, typeName }: PublishedResource,
  openApi: OpenApiVersion,
): JsonObject {
  return {
    description: `${listKind} is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typeProperties,
      items: {
        description: `List of ${plural}. More info: ${conventions}`,
        type: 'array',
        items: { $ref: referenceTo(typeName, openApi) },
      },
      metadata: metaReference('ListMeta', listMetadataText, openApi),
    },
  };
}

const typeProperties: JsonObject = {
  apiVersion: { description: apiVersionText, type: 'string' },
  kind: { description: kindText, type: 'string' },
};

function resourceProperties(openApi: OpenApiVersion): JsonObject {
  return { ...typeProperties, metadata: metaReference('ObjectMeta', metadataText, openApi) };
}

function referenceTo(typeName: string, openApi: OpenApiVersion): string {
  return `${openApi === 3 ? '#/components/schemas/' : '#/definitions/'}${typeName}`;
}

/** A reference with siblings is only valid inside allOf in version 3. */
function metaReference(type: string, description: string, openApi: OpenApiVersion): JsonObject {
  const reference = { $ref: referenceTo(`${metaTypes}.${type}`, openApi) };
  return openApi === 3 ? { description, allOf: [reference] } : { description, ...reference };
}

/** What structural schemas do not have, and what nobody reads. */
const unpublished = new Set(
  '$ref,$schema,id,example,externalDocs,definitions,dependencies,patternProperties,additionalItems'.split(
    ',',
  ),
);
/** What version 2 has no place for. */
const unknownToV2 = new Set([...unpublished, 'allOf', 'anyOf', 'oneOf', 'not', 'nullable']);
const schemaLists = new Set(['allOf', 'anyOf', 'oneOf']);

function shownSchema(schema: JsonObject, openApi: OpenApiVersion): JsonObject {
  const left = openApi === 2 ? unknownToV2 : unpublished;
  const shown: JsonObject = {};
  const isOpen =
    openApi === 2 &&
    (schema['nullable'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true);
  for (const [keyword, value] of Object.entries(schema)) {
    if (value === undefined || left.has(keyword)) continue;
    if (isOpen && (keyword === 'items' || keyword === 'properties')) continue;
    if (openApi === 2 && schema['nullable'] === true && keyword === 'type') continue;
    shown[keyword] = shownKeyword(keyword, value, openApi);
  }
  if (openApi === 2) dropNullableRequired(shown, schema);
  if (schema['x-kubernetes-embedded-resource'] !== true || isOpen) return shown;
  const given = isJsonObject(shown['properties']) ? shown['properties'] : {};
  return { ...shown, properties: { ...given, ...resourceProperties(openApi) } };
}

function shownKeyword(keyword: string, value: JsonValue, openApi: OpenApiVersion): JsonValue {
  const each = (inner: JsonValue | undefined) =>
    isJsonObject(inner) ? shownSchema(inner, openApi) : (inner ?? null);
  if (keyword === 'properties' && isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, each(inner)]));
  if (schemaLists.has(keyword) && Array.isArray(value)) return value.map(each);
  const isSchema = keyword === 'items' || keyword === 'additionalProperties' || keyword === 'not';
  return isSchema ? each(value) : value;
}

/** What may be null must not be required of clients that know no null. */
function dropNullableRequired(shown: JsonObject, schema: JsonObject): void {
  const { required, properties } = schema;
  if (!Array.isArray(required) || !isJsonObject(properties)) return;
  const isNullable = (name: JsonValue) => {
    const property = properties[String(name)];
    return isJsonObject(property) && property['nullable'] === true;
  };
  const kept = required.filter((name) => !isNullable(name));
  if (kept.length > 0) shown['required'] = kept;
  else delete shown['required'];
}
