// Validation of `x-kubernetes-list-type`, `x-kubernetes-list-map-keys` and `x-kubernetes-map-type`.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import { childPath, keyPath } from '../schema/field-path.ts';
import {
  defaultOf,
  itemSchema,
  listMapKeys,
  listTypeOf,
  propertySchema,
  type JsonSchema,
} from '../schema/json-schema.ts';

const listType = 'x-kubernetes-list-type';
const mapType = 'x-kubernetes-map-type';
const mapKeys = 'x-kubernetes-list-map-keys';

export function mapTypeErrors(schema: JsonSchema, path: string): FieldError[] {
  const declared = schema[mapType];
  if (declared === undefined) return [];
  const errors = typeErrors(schema, path, { type: 'object', keyword: mapType });
  if (declared !== 'atomic' && declared !== 'granular') {
    const at = childPath(path, mapType);
    errors.push(fieldError.notSupported(at, declared, ['atomic', 'granular']));
  }
  return errors;
}

interface Expected {
  readonly type: string;
  readonly keyword: string;
}

/** The type that a keyword goes with. */
function typeErrors(schema: JsonSchema, path: string, { type, keyword }: Expected): FieldError[] {
  if (schema.type === type) return [];
  const at = childPath(path, 'type');
  const why = `must be ${type} if ${keyword} is specified`;
  return [schema.type ? fieldError.invalid(at, schema.type, why) : fieldError.required(at, why)];
}

export function listTypeErrors(
  schema: JsonSchema,
  path: string,
  requireAtomicSets: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  const declared = listTypeOf(schema);
  const at = childPath(path, listType);
  if (declared !== undefined) {
    errors.push(...typeErrors(schema, path, { type: 'array', keyword: listType }));
    if (errors.length === 0 && requireAtomicSets) errors.push(...setItemErrors(schema, path));
    if (declared !== 'atomic' && declared !== 'set' && declared !== 'map') {
      errors.push(fieldError.notSupported(at, declared, ['atomic', 'set', 'map']));
    }
  }
  if (listMapKeys(schema).length > 0 && declared !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(
      declared === undefined ? fieldError.required(at, why) : fieldError.invalid(at, declared, why),
    );
  }
  if (declared === 'map') errors.push(...keyedListErrors(schema, path));
  return errors;
}

/** Whether the items of a set can change in part, which sets do not allow. */
export function hasNonAtomicSet(schema: JsonSchema): boolean {
  return setItemErrors(schema, '').length > 0;
}

function setItemErrors(schema: JsonSchema, path: string): FieldError[] {
  const items = itemSchema(schema);
  if (listTypeOf(schema) !== 'set' || !items) return [];
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  // COMPAT: for maps, too, the value that is shown is the list type of the items.
  const shown = items[listType] ?? null;
  const itemsPath = childPath(path, 'items');
  const inner = items[listType];
  if (items.type === 'array' && inner !== undefined && inner !== 'atomic') {
    return [fieldError.invalid(childPath(itemsPath, listType), shown, why)];
  }
  if (items.type === 'object' && items[mapType] !== 'atomic') {
    return [fieldError.invalid(childPath(itemsPath, mapType), shown, why)];
  }
  return [];
}

function keyedListErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const keys = listMapKeys(schema);
  const keysPath = childPath(path, mapKeys);
  const itemsPath = childPath(path, 'items');
  if (keys.length === 0) {
    errors.push(
      fieldError.required(keysPath, 'must not be empty if x-kubernetes-list-type is map'),
    );
  }
  const items = itemSchema(schema);
  if (schema.items === undefined) {
    const why = 'must have a schema if x-kubernetes-list-type is map';
    errors.push(fieldError.required(itemsPath, why));
  } else if (!items) {
    const why = 'must only have a single schema if x-kubernetes-list-type is map';
    errors.push(fieldError.invalid(itemsPath, schema.items, why));
  } else if (items.type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(fieldError.invalid(childPath(itemsPath, 'type'), items.type ?? '', why));
  } else {
    errors.push(...keyErrors(keys, items, path));
  }
  return errors;
}

function keyErrors(keys: readonly string[], items: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const keysPath = childPath(path, mapKeys);
  const propertiesPath = childPath(childPath(path, 'items'), 'properties');
  const seen = new Set<string>();
  for (const key of keys) {
    const property = propertySchema(items, key);
    if (!property) {
      const why = 'entries must all be names of item properties';
      errors.push(fieldError.invalid(keysPath, keys, why));
    } else if (property.type === 'array' || property.type === 'object') {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      const at = childPath(keyPath(propertiesPath, key), 'type');
      errors.push(fieldError.invalid(at, items.type, why));
    }
    if (seen.has(key)) {
      errors.push(fieldError.invalid(keysPath, keys, 'must not contain duplicate entries'));
    }
    seen.add(key);
  }
  return errors;
}

/** Items of sets and maps are never null, and the keys of maps always there. */
export function mapListKeyErrors(schema: JsonSchema, path: string): FieldError[] {
  const declared = listTypeOf(schema);
  const items = itemSchema(schema);
  if (!items || (declared !== 'set' && declared !== 'map')) return [];
  const errors: FieldError[] = [];
  const itemsPath = childPath(path, 'items');
  if (items.nullable) {
    const why = `cannot be nullable when ${listType} is ${declared}`;
    errors.push(fieldError.forbidden(childPath(itemsPath, 'nullable'), why));
  }
  if (declared === 'set') return errors;
  const subject = 'this property is in x-kubernetes-list-map-keys, so it';
  for (const key of listMapKeys(schema)) {
    const property = propertySchema(items, key);
    if (!property) continue;
    const at = keyPath(childPath(itemsPath, 'properties'), key);
    if (!items.required?.includes(key) && defaultOf(property) === undefined) {
      const why = `${subject} must have a default or be a required property`;
      errors.push(fieldError.required(childPath(at, 'default'), why));
    }
    if (property.nullable) {
      errors.push(fieldError.forbidden(childPath(at, 'nullable'), `${subject} cannot be nullable`));
    }
  }
  return errors;
}
