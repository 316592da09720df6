// How the real server prints parts of a definition in messages: its internal Go structs have no
// JSON names, so fields appear under their Go names, all of them, zero or not.
// COMPAT: seen as the bad value of errors about `spec.versions` and about rules.

import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresources,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { sortedNames, type JsonSchema, type ValidationRule } from '../schema/json-schema.ts';
import type { InternalSpec } from './internal-form.ts';

type Printed = Record<string, unknown>;

/** COMPAT: no list is null, an empty list is not. */
export function printedVersions({ source: spec, versions }: InternalSpec): Printed[] | null {
  if (!spec.versions) return null;
  return versions.map(({ source, schema, subresources, columns, selectableFields }) => ({
    Name: source.name,
    Served: source.served,
    Storage: source.storage,
    Deprecated: source.deprecated ?? false,
    DeprecationWarning: source.deprecationWarning ?? null,
    Schema: schema ? { OpenAPIV3Schema: printedOrNull(schema.openAPIV3Schema) } : null,
    Subresources: subresources ? printedSubresources(subresources) : null,
    AdditionalPrinterColumns: columns.length > 0 ? columns.map(printedColumn) : null,
    SelectableFields:
      selectableFields.length > 0 ? selectableFields.map((f) => ({ JSONPath: f.jsonPath })) : null,
  }));
}

function printedSubresources({ status, scale }: CustomResourceSubresources): Printed {
  return {
    Status: status ? {} : null,
    Scale: scale
      ? {
          SpecReplicasPath: scale.specReplicasPath,
          StatusReplicasPath: scale.statusReplicasPath,
          LabelSelectorPath: scale.labelSelectorPath ?? null,
        }
      : null,
  };
}

function printedColumn(column: CustomResourceColumnDefinition): Printed {
  return {
    Name: column.name,
    Type: column.type,
    Format: column.format ?? '',
    Description: column.description ?? '',
    Priority: column.priority ?? 0,
    JSONPath: column.jsonPath,
  };
}

export function printedRule(rule: ValidationRule): Printed {
  return {
    Rule: rule.rule ?? '',
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}

const printedOrNull = (schema: JsonSchema | undefined) => (schema ? printedSchema(schema) : null);

const printedList = (list: readonly JsonSchema[] | undefined) =>
  list?.length ? list.map(printedSchema) : null;

function printedMap(map: Readonly<Record<string, JsonSchema>> | undefined): Printed | null {
  const names = sortedNames(map);
  if (!map || names.length === 0) return null;
  return Object.fromEntries(names.map((name) => [name, printedOrNull(map[name])]));
}

function printedSchemaOrBool(value: JsonSchema | boolean | undefined): Printed | null {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return { Allows: value, Schema: null };
  return { Allows: true, Schema: printedSchema(value) };
}

function printedItems(items: JsonSchema['items']): Printed | null {
  if (items === undefined) return null;
  if (Array.isArray(items)) {
    return { Schema: null, JSONSchemas: items.map((item: JsonSchema) => printedSchema(item)) };
  }
  return { Schema: printedSchema(items as JsonSchema), JSONSchemas: null };
}

/** How the fields of a schema are printed, in the order of the struct. */
const schemaFields: readonly (readonly [goName: string, print: (s: JsonSchema) => unknown])[] = [
  ['ID', (s) => s.id ?? ''],
  ['Schema', (s) => s.$schema ?? ''],
  ['Ref', (s) => s.$ref ?? null],
  ['Description', (s) => s.description ?? ''],
  ['Type', (s) => s.type ?? ''],
  ['Nullable', (s) => s.nullable ?? false],
  ['Format', (s) => s.format ?? ''],
  ['Title', (s) => s.title ?? ''],
  ['Default', (s) => s.default ?? null],
  ['Maximum', (s) => s.maximum ?? null],
  ['ExclusiveMaximum', (s) => s.exclusiveMaximum ?? false],
  ['Minimum', (s) => s.minimum ?? null],
  ['ExclusiveMinimum', (s) => s.exclusiveMinimum ?? false],
  ['MaxLength', (s) => s.maxLength ?? null],
  ['MinLength', (s) => s.minLength ?? null],
  ['Pattern', (s) => s.pattern ?? ''],
  ['MaxItems', (s) => s.maxItems ?? null],
  ['MinItems', (s) => s.minItems ?? null],
  ['UniqueItems', (s) => s.uniqueItems ?? false],
  ['MultipleOf', (s) => s.multipleOf ?? null],
  ['Enum', (s) => (s.enum?.length ? s.enum : null)],
  ['MaxProperties', (s) => s.maxProperties ?? null],
  ['MinProperties', (s) => s.minProperties ?? null],
  ['Required', (s) => (s.required?.length ? s.required : null)],
  ['Items', (s) => printedItems(s.items)],
  ['AllOf', (s) => printedList(s.allOf)],
  ['OneOf', (s) => printedList(s.oneOf)],
  ['AnyOf', (s) => printedList(s.anyOf)],
  ['Not', (s) => printedOrNull(s.not)],
  ['Properties', (s) => printedMap(s.properties)],
  ['AdditionalProperties', (s) => printedSchemaOrBool(s.additionalProperties)],
  ['PatternProperties', (s) => printedMap(s.patternProperties)],
  ['Dependencies', (s) => s.dependencies ?? null],
  ['AdditionalItems', (s) => printedSchemaOrBool(s.additionalItems)],
  ['Definitions', (s) => printedMap(s.definitions)],
  ['ExternalDocs', (s) => printedDocs(s.externalDocs)],
  ['Example', (s) => s.example ?? null],
  ['XPreserveUnknownFields', (s) => s['x-kubernetes-preserve-unknown-fields'] ?? null],
  ['XEmbeddedResource', (s) => s['x-kubernetes-embedded-resource'] ?? false],
  ['XIntOrString', (s) => s['x-kubernetes-int-or-string'] ?? false],
  ['XListMapKeys', (s) => s['x-kubernetes-list-map-keys'] ?? null],
  ['XListType', (s) => s['x-kubernetes-list-type'] ?? null],
  ['XMapType', (s) => s['x-kubernetes-map-type'] ?? null],
  ['XValidations', (s) => s['x-kubernetes-validations']?.map(printedRule) ?? null],
];

function printedDocs(docs: JsonSchema['externalDocs']): Printed | null {
  return docs ? { Description: docs.description ?? '', URL: docs.url ?? '' } : null;
}

export function printedSchema(schema: JsonSchema): Printed {
  return Object.fromEntries(schemaFields.map(([name, print]) => [name, print(schema)]));
}

/** Go names of the fields that a schema sets, in the order of the struct. */
export function setSchemaFields(schema: JsonSchema): string[] {
  const shallow = withoutContents(schema);
  return schemaFields.filter(([, print]) => !isZero(print(shallow))).map(([name]) => name);
}

/** The schema with empty ones in place of those inside it: enough to see what is there. */
function withoutContents(schema: JsonSchema): JsonSchema {
  const emptied = Object.entries(schema).map(([keyword, value]) => {
    if (mapKeywords.has(keyword)) {
      return [keyword, Object.fromEntries(Object.keys(value ?? {}).map((name) => [name, {}]))];
    }
    return [keyword, schemaKeywords.has(keyword) && typeof value === 'object' ? {} : value];
  });
  return Object.fromEntries(emptied) as JsonSchema;
}

const mapKeywords = new Set(['properties', 'patternProperties', 'definitions']);
const schemaKeywords = new Set(['items', 'not', 'additionalProperties', 'additionalItems']);

function isZero(value: unknown): boolean {
  return value === null || value === '' || value === false;
}
