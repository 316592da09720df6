// Strategic merge patch: a merge patch that knows the schema. Lists of objects are merged by the
// field's merge key (`patchStrategy: merge`), lists of scalars are united. Directives:
//   "$patch": "replace" | "delete"          in an object, or in an item of a merged list
//   "$retainKeys": [names]                  drops the other members of the object
//   "$deleteFromPrimitiveList/f": [values]  removes values from the list `f`
//   "$setElementOrder/f": [items]           the order of the list `f` (strategic-list.ts)
// Nulls remove members, and are dropped from values that are taken over whole.
// COMPAT: the errors are Kubernetes', including which of them are a 400 and which a 500.

import { goKind } from '../go-value.ts';
import { getOwn, isJsonObject, setOwn, type JsonObject, type JsonValue } from '../json.ts';
import type { Field, StructType, TypeRef } from '../schema/types.ts';
import { quoteGo } from '../status/field-error.ts';
import { PatchError } from './patch-error.ts';
import {
  arrange,
  checkElementOrder,
  deleteScalars,
  directiveMarker,
  internal,
  itemsKind,
  mergeList,
  unknownDirective,
  wrongKind,
  type ListMerge,
} from './strategic-list.ts';

const retainKeysDirective = '$retainKeys';
const setOrderPrefix = '$setElementOrder';
const deletePrimitivesPrefix = '$deleteFromPrimitiveList';

/**
 * The patched object, which may share parts with the inputs; these stay as they are. `type`
 * describes the object, which is in its decoded form. Throws `PatchError`: bad-request for
 * malformed directives, unprocessable for lists of lists, internal for other faults of the patch.
 */
export function applyStrategicMergePatch(
  doc: JsonObject,
  patch: JsonObject,
  type: StructType,
): JsonObject {
  return mergeObjects(doc, patch, { type: { kind: 'struct', type }, goType: type.goName });
}

/** A place in the schema; `goType` names it in errors. */
interface Schema {
  readonly type: TypeRef;
  readonly goType: string;
}
interface MemberSchema extends Schema {
  /** `merge`, `replace` or empty. */
  readonly strategy: string;
  readonly mergeKey: string;
}

function mergeObjects(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const directive = getOwn(patch, directiveMarker);
  if (directive !== undefined) return replaceObject(directive, patch);
  const merged: JsonObject = { ...original };
  const rest = new Map(Object.entries(patch));
  retainKeys(merged, rest);
  for (const key of rest.keys()) {
    if (key.startsWith(setOrderPrefix)) mergeOrderedList(merged, rest, key, schema);
  }
  for (const [key, value] of rest) {
    if (!key.startsWith(deletePrimitivesPrefix)) {
      mergeMember(merged, key, value ?? null, schema);
      continue;
    }
    const name = directiveField(key, deletePrimitivesPrefix);
    const current = getOwn(merged, name);
    if (value === null || value === undefined) delete merged[name];
    else if (Array.isArray(current) && Array.isArray(value)) {
      setOwn(merged, name, deleteFromList(current, value, memberSchema(schema, name)));
    }
  }
  return merged;
}

/** `$patch` in an object that is not an item of a list. */
function replaceObject(directive: JsonValue, patch: JsonObject): JsonObject {
  if (directive === 'delete') return {};
  if (directive !== 'replace') throw unknownDirective(directive, patch);
  const replacement = { ...patch };
  delete replacement[directiveMarker];
  return replacement;
}

function mergeMember(merged: JsonObject, key: string, value: JsonValue, schema: Schema): void {
  if (value === null) {
    delete merged[key];
    return;
  }
  const current = getOwn(merged, key);
  if (current === undefined || goKind(current) !== goKind(value)) {
    const taken = withoutDirectives(value);
    if (taken === undefined) delete merged[key];
    else setOwn(merged, key, taken);
    return;
  }
  if (isJsonObject(current) && isJsonObject(value)) {
    const member = memberSchema(schema, key);
    const replaces = member.strategy === 'replace';
    setOwn(merged, key, replaces ? value : mergeObjects(current, value, member));
  } else if (Array.isArray(current) && Array.isArray(value)) {
    setOwn(merged, key, mergeLists(current, value, memberSchema(schema, key)));
  } else setOwn(merged, key, value);
}

function mergeLists(
  current: readonly JsonValue[],
  patch: JsonValue[],
  member: MemberSchema,
): JsonValue[] {
  if (member.strategy !== 'merge') return patch;
  return mergeList(current, patch, listMerge(member));
}

function deleteFromList(
  current: readonly JsonValue[],
  removed: readonly JsonValue[],
  member: MemberSchema,
): JsonValue[] {
  if (current.length === 0 && removed.length === 0) return [];
  if (itemsKind(current, removed) !== 'map') return deleteScalars(current, removed);
  return mergeList(current, removed, listMerge(member));
}

function listMerge(member: MemberSchema): ListMerge {
  const items = itemSchema(member);
  return {
    mergeKey: member.mergeKey,
    itemKind: goKindOf(items.type),
    mergeItem: (item, patch) => mergeObjects(item, patch, items),
  };
}

/** `$retainKeys`: all that the patch sets must be named, and all that is not named goes. */
function retainKeys(merged: JsonObject, patch: Map<string, JsonValue | undefined>): void {
  const names = patch.get(retainKeysDirective);
  if (names === undefined) return;
  patch.delete(retainKeysDirective);
  const malformed = new PatchError('bad-request', 'invalid patch format of retainKeys');
  if (!Array.isArray(names)) throw malformed;
  const retained = new Set(names);
  for (const [key, value] of patch) {
    if (value === null || isListDirective(key)) continue;
    if (!retained.has(key)) throw malformed;
  }
  for (const key of Object.keys(merged)) if (!retained.has(key)) delete merged[key];
}

/** `$setElementOrder/f`: merges the list `f`, if it is in the patch, and puts it in order. */
function mergeOrderedList(
  merged: JsonObject,
  patch: Map<string, JsonValue | undefined>,
  directive: string,
  schema: Schema,
): void {
  const setOrder = patch.get(directive) ?? null;
  patch.delete(directive);
  if (!Array.isArray(setOrder)) throw wrongKind([], setOrder);
  const name = directiveField(directive, setOrderPrefix);
  const current = listMember(getOwn(merged, name));
  const changes = listMember(patch.get(name));
  const member = memberSchema(schema, name);
  checkElementOrder(changes ?? [], setOrder, member.mergeKey);
  if (current === undefined && changes === undefined) return;
  const items =
    current === undefined || changes === undefined
      ? (current ?? changes ?? [])
      : mergeLists(current, changes, member);
  itemsKind(current ?? [], changes ?? []);
  const order = { patchOrder: setOrder, serverOrder: current ?? [], mergeKey: member.mergeKey };
  setOwn(merged, name, arrange(items, order));
  patch.delete(name);
}

function listMember(value: JsonValue | undefined): JsonValue[] | undefined {
  if (value === undefined || Array.isArray(value)) return value;
  throw wrongKind([], value);
}

/** The field of `$directive/field`. */
function directiveField(key: string, prefix: string): string {
  if (key[prefix.length] === '/') return key.slice(prefix.length + 1);
  const what = prefix === setOrderPrefix ? 'setElementOrder list' : 'primitive list';
  throw new PatchError('bad-request', `invalid patch format of ${what}`);
}

function isListDirective(key: string): boolean {
  return key.startsWith(deletePrimitivesPrefix) || key.startsWith(setOrderPrefix);
}

/** A value that nothing is merged with: without null members and without objects with `$patch`. */
function withoutDirectives(value: JsonValue): JsonValue | undefined {
  if (Array.isArray(value)) {
    return value.map(withoutDirectives).filter((item) => item !== undefined);
  }
  if (!isJsonObject(value)) return value;
  if (Object.hasOwn(value, directiveMarker)) return undefined;
  const kept: JsonObject = {};
  for (const [key, member] of Object.entries(value)) {
    if (member === null || member === undefined) continue;
    const taken = withoutDirectives(member);
    if (taken !== undefined) setOwn(kept, key, taken);
  }
  return kept;
}

function memberSchema(schema: Schema, key: string): MemberSchema {
  const { type } = schema;
  switch (type.kind) {
    case 'struct': {
      const field = type.type.byName.get(key);
      if (!field) throw noField(type.type.goName, key);
      return { type: field.type, goType: field.goType, ...strategyOf(field) };
    }
    case 'map':
      return { type: type.values, goType: 'map', strategy: '', mergeKey: '' };
    case 'any':
    case 'fields-v1':
      throw noField(schema.goType.slice(schema.goType.lastIndexOf('.') + 1), key);
    default:
      throw internal(
        `merging an object in json but data type is not struct, instead is: ${goKindOf(type)}`,
      );
  }
}

function strategyOf(field: Field): { strategy: string; mergeKey: string } {
  const strategy = field.patchStrategy?.find((s) => s !== 'retainKeys') ?? '';
  return { strategy, mergeKey: field.mergeKey ?? '' };
}

function itemSchema(list: MemberSchema): Schema {
  if (list.type.kind !== 'list') {
    throw internal(`expected slice or array type, but got: ${goKindOf(list.type)}`);
  }
  if (list.type.items.kind === 'list') throw internal('unexpected slice of slice');
  return { type: list.type.items, goType: list.goType.replace(/^\[\]/, '') };
}

function noField(goName: string, key: string): PatchError {
  return internal(
    `unable to find api field in struct ${goName} for the json field ${quoteGo(key)}`,
  );
}

/** `reflect.Kind` of the Go type that holds such values. */
function goKindOf(type: TypeRef): string {
  switch (type.kind) {
    case 'list':
    case 'bytes':
      return 'slice';
    case 'string':
    case 'bool':
    case 'int32':
    case 'int64':
    case 'map':
      return type.kind;
    case 'double':
      return 'float64';
    default:
      return 'struct';
  }
}
