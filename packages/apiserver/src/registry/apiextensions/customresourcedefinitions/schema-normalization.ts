// Schemas in the one form in which definitions are stored: keywords that say nothing (empty texts
// and lists, `false`) are left out, also where a schema is one of several forms of a value
// (`items`, `additionalProperties`, `dependencies`) and the decoder keeps it as it came.

import { isJsonObject, type JsonObject, type JsonValue } from '@keelson/apimachinery';
import type { JsonSchema } from '../schema/json-schema.ts';

type Form =
  | 'schema'
  | 'schemas'
  | 'schema-map'
  | 'schema-or-other'
  | 'schema-or-other-map'
  | 'kept'
  | 'text'
  | 'flag'
  | 'list';

const forms: Readonly<Record<string, Form>> = {
  id: 'text',
  $schema: 'text',
  $ref: 'kept',
  description: 'text',
  type: 'text',
  format: 'text',
  title: 'text',
  default: 'kept',
  maximum: 'kept',
  exclusiveMaximum: 'flag',
  minimum: 'kept',
  exclusiveMinimum: 'flag',
  maxLength: 'kept',
  minLength: 'kept',
  pattern: 'text',
  maxItems: 'kept',
  minItems: 'kept',
  uniqueItems: 'flag',
  multipleOf: 'kept',
  enum: 'list',
  maxProperties: 'kept',
  minProperties: 'kept',
  required: 'list',
  items: 'schema-or-other',
  allOf: 'schemas',
  oneOf: 'schemas',
  anyOf: 'schemas',
  not: 'schema',
  properties: 'schema-map',
  additionalProperties: 'schema-or-other',
  patternProperties: 'schema-map',
  dependencies: 'schema-or-other-map',
  additionalItems: 'schema-or-other',
  definitions: 'schema-map',
  externalDocs: 'kept',
  example: 'kept',
  nullable: 'flag',
  'x-kubernetes-preserve-unknown-fields': 'kept',
  'x-kubernetes-embedded-resource': 'flag',
  'x-kubernetes-int-or-string': 'flag',
  'x-kubernetes-list-map-keys': 'list',
  'x-kubernetes-list-type': 'kept',
  'x-kubernetes-map-type': 'kept',
  'x-kubernetes-validations': 'list',
};

/** Normalises a schema and all in it, in place; idempotent. Unknown keywords are dropped. */
export function normalizeSchemas(schema: JsonSchema | undefined): void {
  if (isJsonObject(schema)) normalize(schema as JsonObject);
}

function normalize(schema: JsonObject): void {
  for (const [keyword, value] of Object.entries(schema)) {
    const form = Object.hasOwn(forms, keyword) ? forms[keyword] : undefined;
    if (form === undefined || value === undefined || value === null || isNothing(value, form)) {
      delete schema[keyword];
    } else {
      descend(value, form);
    }
  }
}

function isNothing(value: JsonValue, form: Form): boolean {
  switch (form) {
    case 'text':
      return value === '';
    case 'flag':
      return value === false;
    case 'list':
    case 'schemas':
      return Array.isArray(value) && value.length === 0;
    case 'schema-map':
    case 'schema-or-other-map':
      return isJsonObject(value) && Object.keys(value).length === 0;
    default:
      return false;
  }
}

function descend(value: JsonValue, form: Form): void {
  if (!form.startsWith('schema')) return;
  if (Array.isArray(value)) {
    for (const item of value) if (isJsonObject(item)) normalize(item);
  } else if (isJsonObject(value)) {
    if (!form.endsWith('-map')) normalize(value);
    else for (const item of Object.values(value)) if (isJsonObject(item)) normalize(item);
  }
}
