// Whether a schema is structural (KEP: apiextensions structural schemas): every field has one type,
// stated outside of allOf, anyOf, oneOf and not; those only add value validation.
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema

import { fieldError, renderFieldError, type FieldError } from '@keelson/apimachinery';
import { patternProblem } from '../custom-resources/schema-pattern.ts';
import { childPath, keyPath } from './field-path.ts';
import {
  additionalSchema,
  defaultOf,
  isEmbeddedResource,
  isIntOrString,
  itemSchema,
  preservesUnknown,
  propertySchema,
  someSchema,
  sortedNames,
  subschemas,
  type JsonSchema,
} from './json-schema.ts';

/** Where a schema stands: at the root, as items of a list, or as a field or map value. */
type Level = 'root' | 'item' | 'field';

const missingType: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

/** Everything that makes the schema not structural, sorted by text. */
export function structuralErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  checkSchema(errors, schema, { path, level: 'root' });
  checkCompleteness(errors, schema, { schema, schemaPath: path, valuePath: path });
  return errors
    .map((error) => ({ error, text: renderFieldError(error) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ error }) => error);
}

/**
 * A keyword that structural schemas cannot even be read with; findings about it are made by the
 * schema's own validation, so that this is reported only when that finds nothing.
 */
export function unreadableKeyword(schema: JsonSchema): string | undefined {
  const own = ownUnreadable(schema);
  if (own !== undefined) return own;
  for (const inner of subschemas(schema)) {
    const found = unreadableKeyword(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

function ownUnreadable(schema: JsonSchema): string | undefined {
  const unsupported: readonly (readonly [keyword: string, present: boolean])[] = [
    ['id', Boolean(schema.id)],
    ['schema', Boolean(schema.$schema)],
    ['$ref', Boolean(schema.$ref)],
    ['patternProperties', Object.keys(schema.patternProperties ?? {}).length > 0],
    ['dependencies', Object.keys(schema.dependencies ?? {}).length > 0],
    ['additionalItems', schema.additionalItems !== undefined],
    ['definitions', Object.keys(schema.definitions ?? {}).length > 0],
  ];
  const keyword = unsupported.find(([, present]) => present)?.[0];
  if (keyword !== undefined) return `OpenAPIV3Schema '${keyword}' is not supported`;
  if (Array.isArray(schema.items))
    return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  }
  return undefined;
}

interface Place {
  readonly path: string;
  readonly level: Level;
}

function checkSchema(errors: FieldError[], schema: JsonSchema, place: Place): void {
  const { path } = place;
  const items = itemSchema(schema);
  if (schema.type === 'array' && !items) {
    errors.push(fieldError.required(childPath(path, 'items'), 'must be specified'));
  }
  if (items) checkSchema(errors, items, { path: childPath(path, 'items'), level: 'item' });
  for (const name of sortedNames(schema.properties)) {
    const property = propertySchema(schema, name);
    const at = keyPath(childPath(path, 'properties'), name);
    if (property) checkSchema(errors, property, { path: at, level: 'field' });
  }
  checkAdditional(errors, schema, place);
  checkValues(errors, schema, { ...place, ...intOrStringException(schema) });
  checkExtensions(errors, schema, path);
  checkType(errors, schema, place);
  checkMeta(errors, schema, place);
}

function checkAdditional(errors: FieldError[], schema: JsonSchema, { path, level }: Place): void {
  if (schema.additionalProperties === undefined) return;
  const at = childPath(path, 'additionalProperties');
  if (level === 'root') errors.push(fieldError.forbidden(at, 'must not be used at the root'));
  const inner = additionalSchema(schema);
  if (inner) checkSchema(errors, inner, { path: at, level: 'field' });
  if (isEmbeddedResource(schema)) {
    const why = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(fieldError.forbidden(at, why));
  }
}

function checkExtensions(errors: FieldError[], schema: JsonSchema, path: string): void {
  if (!isIntOrString(schema)) return;
  const why = 'must be false if x-kubernetes-int-or-string is true';
  for (const name of ['preserve-unknown-fields', 'embedded-resource'] as const) {
    if (schema[`x-kubernetes-${name}`] === true) {
      errors.push(fieldError.invalid(childPath(path, `x-kubernetes-${name}`), true, why));
    }
  }
}

function checkType(errors: FieldError[], schema: JsonSchema, { path, level }: Place): void {
  const { type = '' } = schema;
  const at = childPath(path, 'type');
  if (isEmbeddedResource(schema) && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? fieldError.required(at, why) : fieldError.invalid(at, type, why));
  } else if (type === '' && !isIntOrString(schema) && !preservesUnknown(schema)) {
    errors.push(fieldError.required(at, missingType[level]));
  }
  if (level === 'root' && type !== '' && type !== 'object') {
    errors.push(fieldError.invalid(at, type, 'must be object at the root'));
  }
  const empty = sortedNames(schema.properties).length === 0;
  if (isEmbeddedResource(schema) && !preservesUnknown(schema) && empty) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(fieldError.required(childPath(path, 'properties'), why));
  }
}

/** Schemas of resources may say little about apiVersion, kind and metadata. */
function checkMeta(errors: FieldError[], schema: JsonSchema, { path, level }: Place): void {
  const at = (name: string) => keyPath(childPath(path, 'properties'), name);
  const isResource = level === 'root' || isEmbeddedResource(schema);
  for (const name of ['kind', 'apiVersion']) {
    const property = propertySchema(schema, name);
    if (isResource && property && property.type !== 'string') {
      const why = 'must be string';
      errors.push(fieldError.invalid(childPath(at(name), 'type'), property.type ?? '', why));
    }
  }
  const metadata = propertySchema(schema, 'metadata');
  if (!metadata) return;
  if (isResource && metadata.type !== 'object') {
    const typePath = childPath(at('metadata'), 'type');
    errors.push(fieldError.invalid(typePath, metadata.type ?? '', 'must be object'));
  }
  if (level === 'root' && !restrictsNamesOnly(metadata)) {
    const why =
      'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(fieldError.forbidden(at('metadata'), why));
  }
}

const harmlessInMetadata: ReadonlySet<string> = new Set([
  'type',
  'default',
  'properties',
  'example',
]);

function restrictsNamesOnly(metadata: JsonSchema): boolean {
  const names = sortedNames(metadata.properties);
  if (!names.every((name) => name === 'name' || name === 'generateName')) return false;
  return Object.entries(metadata).every(([key, value]) => {
    return harmlessInMetadata.has(key) || value === undefined || value === false;
  });
}

interface Exceptions {
  readonly skipAnyOf: boolean;
  readonly skipFirstAllOfAnyOf: boolean;
}
const noExceptions: Exceptions = { skipAnyOf: false, skipFirstAllOfAnyOf: false };

/** int-or-string may repeat its two types in anyOf, or in the anyOf of its first allOf. */
function intOrStringException(schema: JsonSchema): Exceptions {
  return {
    skipAnyOf: isIntOrStringPattern(schema.anyOf),
    skipFirstAllOfAnyOf: isIntOrStringPattern(schema.allOf?.[0]?.anyOf),
  };
}

function isIntOrStringPattern(choices: readonly JsonSchema[] | undefined): boolean {
  if (choices?.length !== 2) return false;
  return choices.every(
    (choice, i) =>
      choice.type === (i === 0 ? 'integer' : 'string') && Object.keys(choice).length === 1,
  );
}

function checkValues(errors: FieldError[], schema: JsonSchema, place: Place & Exceptions): void {
  const { path, level, skipAnyOf, skipFirstAllOfAnyOf } = place;
  const nested = (inner: JsonSchema, at: string, exceptions = noExceptions) =>
    checkNested(errors, inner, { path: childPath(path, at), level, ...exceptions });
  if (!skipAnyOf) schema.anyOf?.forEach((inner, i) => nested(inner, `anyOf[${i}]`));
  schema.allOf?.forEach((inner, i) => {
    const skip = skipFirstAllOfAnyOf && i === 0;
    nested(inner, `allOf[${i}]`, { skipAnyOf: skip, skipFirstAllOfAnyOf: false });
  });
  schema.oneOf?.forEach((inner, i) => nested(inner, `oneOf[${i}]`));
  if (schema.not) nested(schema.not, 'not');
  const problem = schema.pattern ? patternProblem(schema.pattern) : undefined;
  if (problem !== undefined) {
    const why = `must be a valid regular expression, but isn't: ${problem}`;
    errors.push(fieldError.invalid(childPath(path, 'pattern'), schema.pattern, why));
  }
}

/** Keywords that only the outer schema may have, and what each must be inside. */
const outerKeywords: readonly (readonly [keyword: keyof JsonSchema, must: string])[] = [
  ['type', 'empty'],
  ['additionalProperties', 'undefined'],
  ['default', 'undefined'],
  ['title', 'empty'],
  ['description', 'empty'],
  ['nullable', 'false'],
  ['externalDocs', 'undefined'],
  ['x-kubernetes-preserve-unknown-fields', 'false'],
  ['x-kubernetes-embedded-resource', 'false'],
  ['x-kubernetes-int-or-string', 'false'],
  ['x-kubernetes-list-map-keys', 'empty'],
  ['x-kubernetes-list-type', 'undefined'],
  ['x-kubernetes-map-type', 'undefined'],
  ['x-kubernetes-validations', 'empty'],
];

function checkNested(errors: FieldError[], schema: JsonSchema, place: Place & Exceptions): void {
  const { path, level } = place;
  checkValues(errors, schema, place);
  const items = itemSchema(schema);
  if (items) {
    checkNested(errors, items, { path: childPath(path, 'items'), level, ...noExceptions });
  }
  const propertiesPath = childPath(path, 'properties');
  for (const name of sortedNames(schema.properties)) {
    const property = propertySchema(schema, name);
    const at = keyPath(propertiesPath, name);
    if (property) checkNested(errors, property, { path: at, level: 'field', ...noExceptions });
  }
  for (const [keyword, must] of outerKeywords) {
    if (!isSet(schema, keyword)) continue;
    errors.push(fieldError.forbidden(childPath(path, keyword), `must be ${must} to be structural`));
  }
  if (propertySchema(schema, 'metadata')) {
    const why = 'must not be specified in a nested context';
    errors.push(fieldError.forbidden(keyPath(propertiesPath, 'metadata'), why));
  }
}

function isSet(schema: JsonSchema, keyword: keyof JsonSchema): boolean {
  if (keyword === 'default') return defaultOf(schema) !== undefined;
  const value = schema[keyword];
  if (keyword === 'additionalProperties') return value !== undefined;
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== '' && value !== false;
}

interface Completeness {
  /** The schema that must name what the values name. */
  readonly schema: JsonSchema;
  readonly schemaPath: string;
  readonly valuePath: string;
}

/** What allOf, anyOf, oneOf and not at the root name must be named outside of them too. */
function checkCompleteness(errors: FieldError[], values: JsonSchema, place: Completeness): void {
  const nested = (inner: JsonSchema, at: string) =>
    checkNestedCompleteness(errors, inner, {
      ...place,
      valuePath: childPath(place.valuePath, at),
    });
  if (values.not) nested(values.not, 'not');
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const) {
    values[junctor]?.forEach((inner, i) => nested(inner, `${junctor}[${i}]`));
  }
}

function checkNestedCompleteness(
  errors: FieldError[],
  values: JsonSchema,
  place: Completeness,
): void {
  const { schema, schemaPath, valuePath } = place;
  checkCompleteness(errors, values, place);
  const step = (inner: JsonSchema, outer: JsonSchema | undefined, at: readonly string[]) => {
    const [first = '', key] = at;
    const join = (path: string) => {
      const joined = childPath(path, first);
      return key === undefined ? joined : keyPath(joined, key);
    };
    const next = { schemaPath: join(schemaPath), valuePath: join(valuePath) };
    if (outer) checkNestedCompleteness(errors, inner, { schema: outer, ...next });
    else {
      const why = `because it is defined in ${next.valuePath}`;
      errors.push(fieldError.required(next.schemaPath, why));
    }
  };
  const items = itemSchema(values);
  if (items) step(items, itemSchema(schema), ['items']);
  for (const name of sortedNames(values.properties)) {
    const property = propertySchema(values, name);
    if (property) step(property, propertySchema(schema, name), ['properties', name]);
  }
}

/** Whether definitions stored long ago have a schema that is not structural. */
export function isStructural(schema: JsonSchema | undefined): boolean {
  if (schema === undefined) return true;
  if (unreadableKeyword(schema) !== undefined) return false;
  return structuralErrors(schema, '').length === 0;
}

/** Types that OpenAPI knows. */
export const schemaTypes: readonly string[] = [
  'array',
  'boolean',
  'integer',
  'number',
  'object',
  'string',
];

export function hasInvalidType(schema: JsonSchema | undefined): boolean {
  return someSchema(schema, ({ type }) => Boolean(type) && !schemaTypes.includes(type ?? ''));
}
