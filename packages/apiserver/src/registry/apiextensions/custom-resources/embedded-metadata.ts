// apiVersion, kind and metadata of custom resources and of the resources embedded in them: read as
// the real types, so that they hold nothing else, and validated.

import {
  fieldError,
  isJsonObject,
  parseApiVersion,
  type FieldError,
  type JsonObject,
  type JsonValue,
} from '@keelson/apimachinery';
import { annotations, labels } from '../../validation/labels.ts';
import {
  dns1035Label,
  dns1123Label,
  pathSegmentName,
  qualifiedName,
} from '../../validation/names.ts';
import { childPath, indexPath, keyPath } from '../schema/field-path.ts';
import {
  additionalSchema,
  isEmbeddedResource,
  itemSchema,
  propertySchema,
  someSchema,
  sortedNames,
  type JsonSchema,
} from '../schema/json-schema.ts';

/** Reads JSON as an ObjectMeta. Throws an error with Go's text when it does not fit. */
export interface MetadataDecoder {
  (value: JsonValue): { readonly metadata: JsonObject; readonly unknownFields: readonly string[] };
}

export interface CoercionResult {
  readonly unknownFields: string[];
  /** Why the object cannot be read at all. */
  readonly error?: string;
}

const embedding = new WeakMap<JsonSchema, boolean>();

/** Whether anything below is an embedded resource; most schemas have none. */
function embedsResources(schema: JsonSchema): boolean {
  let known = embedding.get(schema);
  if (known === undefined) {
    known = someSchema(schema, isEmbeddedResource);
    embedding.set(schema, known);
  }
  return known;
}

/**
 * Reads the metadata of embedded resources as ObjectMeta, in place; the root's is not looked at.
 */
export function coerceEmbedded(
  value: JsonValue | undefined,
  schema: JsonSchema,
  decode: MetadataDecoder,
): CoercionResult {
  const unknownFields: string[] = [];
  if (!embedsResources(schema)) return { unknownFields };
  const error = coerce(value, schema, { decode, unknownFields, path: '' });
  return error === undefined ? { unknownFields } : { unknownFields, error };
}

interface Coercion {
  readonly decode: MetadataDecoder;
  readonly unknownFields: string[];
  readonly path: string;
}

function coerce(
  value: JsonValue | undefined,
  schema: JsonSchema | undefined,
  context: Coercion,
): string | undefined {
  if (schema === undefined) return undefined;
  const { path } = context;
  if (Array.isArray(value)) {
    const items = itemSchema(schema);
    return firstError(value, (item, i) =>
      coerce(item, items, { ...context, path: indexPath(path, i) }),
    );
  }
  if (!isJsonObject(value)) return undefined;
  if (isEmbeddedResource(schema)) {
    const error = coerceResource(value, context);
    if (error !== undefined) return error;
  }
  const additional = additionalSchema(schema);
  return firstError(sortedNames(value), (name) =>
    coerce(value[name], propertySchema(schema, name) ?? additional, {
      ...context,
      path: childPath(path, name),
    }),
  );
}

function firstError<T>(
  list: readonly T[],
  check: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [i, item] of list.entries()) {
    const error = check(item, i);
    if (error !== undefined) return error;
  }
  return undefined;
}

function coerceResource(resource: JsonObject, context: Coercion): string | undefined {
  const { decode, unknownFields, path } = context;
  for (const name of ['apiVersion', 'kind']) {
    if (resource[name] !== undefined && typeof resource[name] !== 'string') {
      return `${childPath(path, name)}: Invalid value: ${JSON.stringify(resource[name])}: must be a string`;
    }
  }
  const given = resource['metadata'];
  if (given === undefined) return undefined;
  const at = childPath(path, 'metadata');
  try {
    const { metadata, unknownFields: unknown } = decode(given);
    resource['metadata'] = metadata;
    unknownFields.push(...unknown.map((field) => childPath(at, field)));
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `${at}: Invalid value: ${JSON.stringify(given)}: ${why}`;
  }
}

/**
 * All errors of the embedded resources in the value; `isResource` treats the value itself as one.
 */
export function validateEmbedded(
  value: JsonValue | undefined,
  schema: JsonSchema,
  path = '',
  isResource = isEmbeddedResource(schema),
): FieldError[] {
  if (!isResource && !embedsResources(schema)) return [];
  if (Array.isArray(value)) {
    const items = itemSchema(schema);
    if (!items) return [];
    return value.flatMap((item, i) => validateEmbedded(item, items, indexPath(path, i)));
  }
  if (!isJsonObject(value)) return [];
  const errors = isResource ? resourceErrors(value, path) : [];
  for (const name of sortedNames(value)) {
    const property = propertySchema(schema, name);
    const inner = property ?? additionalSchema(schema);
    if (!inner) continue;
    const at = property ? childPath(path, name) : keyPath(path, name);
    errors.push(...validateEmbedded(value[name], inner, at));
  }
  return errors;
}

function resourceErrors(resource: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { apiVersion, kind, metadata } = resource;
  const versionPath = childPath(path, 'apiVersion');
  const kindPath = childPath(path, 'kind');
  if (apiVersion === undefined) errors.push(fieldError.required(versionPath));
  if (kind === undefined) errors.push(fieldError.required(kindPath));
  if (apiVersion !== undefined) errors.push(...apiVersionErrors(apiVersion, versionPath));
  if (kind !== undefined) errors.push(...kindErrors(kind, kindPath));
  if (isJsonObject(metadata)) errors.push(...metadataErrors(metadata, childPath(path, 'metadata')));
  return errors;
}

function apiVersionErrors(apiVersion: JsonValue, path: string): FieldError[] {
  if (typeof apiVersion !== 'string') {
    return [fieldError.invalid(path, apiVersion, 'must be a string')];
  }
  if (apiVersion === '') return [fieldError.required(path)];
  if (parseApiVersion(apiVersion) !== undefined) return [];
  return [fieldError.invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
}

function kindErrors(kind: JsonValue, path: string): FieldError[] {
  if (typeof kind !== 'string') return [fieldError.invalid(path, kind, 'must be a string')];
  if (kind === '') return [fieldError.required(path)];
  const problems = dns1035Label(kind.toLowerCase());
  if (problems.length === 0) return [];
  const why = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
  return [fieldError.invalid(path, kind, why)];
}

function metadataErrors(metadata: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const text = (name: string) => (typeof metadata[name] === 'string' ? metadata[name] : '');
  const report = (name: string, problems: readonly string[]) => {
    const at = childPath(path, name);
    for (const why of problems) errors.push(fieldError.invalid(at, metadata[name], why));
  };
  if (text('generateName') !== '')
    report('generateName', pathSegmentName(text('generateName'), true));
  if (text('name') !== '') report('name', pathSegmentName(text('name'), false));
  if (text('namespace') !== '') report('namespace', dns1123Label(text('namespace')));
  labels(errors, childPath(path, 'labels'), stringMap(metadata['labels']));
  annotations(errors, childPath(path, 'annotations'), stringMap(metadata['annotations']));
  const { finalizers } = metadata;
  for (const finalizer of Array.isArray(finalizers) ? finalizers : []) {
    const name = typeof finalizer === 'string' ? finalizer : '';
    for (const why of qualifiedName(name)) {
      errors.push(fieldError.invalid(childPath(path, 'finalizers'), name, why));
    }
  }
  return errors;
}

function stringMap(value: JsonValue | undefined): Record<string, string> {
  if (!isJsonObject(value)) return {};
  const entries = Object.entries(value).map(([key, item]) => [key, String(item)] as const);
  return Object.fromEntries(entries);
}

/** apiVersion and kind of the object are those of its resource; one error at most. */
export function validateTypeMeta(
  object: { readonly apiVersion?: string; readonly kind?: string },
  expected: { readonly apiVersion: string; readonly kind: string },
): FieldError[] {
  const { apiVersion = '', kind = '' } = object;
  if (kind !== expected.kind) {
    return [fieldError.invalid('kind', kind, `must be ${expected.kind}`)];
  }
  if (apiVersion !== expected.apiVersion) {
    return [fieldError.invalid('apiVersion', apiVersion, `must be ${expected.apiVersion}`)];
  }
  return [];
}
