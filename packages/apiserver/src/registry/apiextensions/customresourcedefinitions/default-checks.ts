// Defaults in the schema of a definition must be what the schema allows: of the right type, without
// unknown fields, with valid metadata where they are part of an embedded resource.

import {
  fieldError,
  renderFieldError,
  type FieldError,
  type JsonObject,
  type JsonValue,
  copyJson,
} from '@keelson/apimachinery';
import { validateEmbedded } from '../custom-resources/embedded-metadata.ts';
import { pruneValue } from '../custom-resources/pruning.ts';
import { validateSchema } from '../custom-resources/schema-validation.ts';
import { childPath, keyPath } from '../schema/field-path.ts';
import {
  defaultOf,
  isEmbeddedResource,
  itemSchema,
  metaFields,
  propertySchema,
  sortedNames,
  type JsonSchema,
} from '../schema/json-schema.ts';

export interface DefaultCheckOptions {
  /** Defaults may have no unknown fields; definitions that had such keep them. */
  readonly requirePruned: boolean;
}

interface Place {
  readonly path: string;
  readonly options: DefaultCheckOptions;
  /** Inside apiVersion, kind or metadata: the resource's schema, and how a value stands in it. */
  readonly meta?: { readonly schema: JsonSchema; surround(value: JsonValue): JsonValue };
  /** The innermost resource around, and how a value stands in it. */
  readonly resource: { readonly schema: JsonSchema; surround(value: JsonValue): JsonValue };
}

const asIs = (value: JsonValue) => value;

/** Errors of all defaults of the schema of a resource. */
export function defaultErrors(
  schema: JsonSchema,
  path: string,
  options: DefaultCheckOptions,
): FieldError[] {
  return check(
    { ...schema, 'x-kubernetes-embedded-resource': true },
    { path, options, resource: { schema, surround: asIs } },
  );
}

function check(schema: JsonSchema, outer: Place): FieldError[] {
  const embedded = isEmbeddedResource(schema);
  const place: Place = embedded
    ? { path: outer.path, options: outer.options, resource: { schema, surround: asIs } }
    : outer;
  const value = defaultOf(schema);
  const errors = value === undefined ? [] : ownErrors(copyJson(value), schema, place);
  const { path, resource } = place;
  const items = itemSchema(schema);
  if (items) {
    const inner = { ...resource, surround: (v: JsonValue) => resource.surround([v]) };
    errors.push(...check(items, within(place, childPath(path, 'items'), inner)));
  }
  for (const name of sortedNames(schema.properties)) {
    const property = propertySchema(schema, name);
    if (!property) continue;
    const inner = { ...resource, surround: (v: JsonValue) => resource.surround({ [name]: v }) };
    const next = within(place, keyPath(childPath(path, 'properties'), name), inner);
    const entersMeta = embedded && metaFields.has(name);
    errors.push(...check(property, entersMeta ? { ...next, meta: inner } : next));
  }
  return errors;
}

function within(place: Place, path: string, resource: Place['resource']): Place {
  return { ...place, path, resource, ...(place.meta ? { meta: resource } : {}) };
}

function ownErrors(
  value: JsonValue,
  schema: JsonSchema,
  { path, options, meta }: Place,
): FieldError[] {
  const at = childPath(path, 'default');
  const errors: FieldError[] = [];
  if (meta) {
    const resource = { apiVersion: 'validation/v1', kind: 'Validation' };
    const object = { ...resource, ...(meta.surround(value) as JsonObject) };
    const problems = validateEmbedded(object, meta.schema, '', true);
    if (problems.length > 0) {
      const texts = problems.map(renderFieldError);
      const why = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
      return [fieldError.invalid(at, value, `must result in valid metadata: ${why}`)];
    }
    return validateSchema(value, schema, at);
  }
  if (options.requirePruned && pruneValue(copyJson(value), schema).length > 0) {
    errors.push(fieldError.invalid(at, value, 'must not have unknown fields'));
  }
  const embedded = validateEmbedded(value, schema, at);
  return [...errors, ...(embedded.length > 0 ? embedded : validateSchema(value, schema, at))];
}

/** Whether a stored schema has a default with unknown fields. */
export function hasUnprunedDefaults(schema: JsonSchema): boolean {
  const own = defaultOf(schema);
  if (own !== undefined && pruneValue(copyJson(own), schema).length > 0) return true;
  const items = itemSchema(schema);
  if (items && hasUnprunedDefaults(items)) return true;
  return sortedNames(schema.properties).some((name) => {
    const property = propertySchema(schema, name);
    return property !== undefined && hasUnprunedDefaults(property);
  });
}
