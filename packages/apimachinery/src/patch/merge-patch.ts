// JSON Merge Patch (RFC 7386): objects merge, null removes, everything else replaces.
// COMPAT: nulls inside a value that is taken over whole are dropped, also in objects inside lists;
// the RFC would keep the latter. Objects that the patch touches come out with sorted keys, as the
// library of Kubernetes writes them: the text shows in errors of the decoding that follows.

import { compareGoStrings } from '../go-string.ts';
import { getOwn, isJsonObject, setOwn, type JsonObject, type JsonValue } from '../json.ts';
import { goKind } from '../go-value.ts';
import { PatchError } from './patch-error.ts';

/**
 * The merged document; the inputs stay as they are and may share parts with the result. Throws
 * `PatchError` for a patch that is not an object.
 */
export function applyMergePatch(doc: JsonObject, patch: JsonValue): JsonObject {
  if (patch === null) throw new PatchError('bad-request', 'Invalid JSON Patch');
  if (!isJsonObject(patch)) {
    throw new PatchError(
      'bad-request',
      `error decoding patch: json: cannot unmarshal ${jsonKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return mergeObjects(doc, patch);
}

function mergeObjects(doc: JsonObject, patch: JsonObject): JsonObject {
  const merged = { ...doc };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete merged[key];
    else setOwn(merged, key, mergeValues(getOwn(doc, key), value));
  }
  return sortKeys(merged);
}

function mergeValues(current: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(current)) return dropNulls(patch);
  return isJsonObject(patch) ? mergeObjects(current, patch) : patch;
}

/** Drops null members of objects at any depth; null items of lists stay. */
function dropNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(dropNulls);
  if (!isJsonObject(value)) return value;
  const kept: JsonObject = {};
  for (const key of Object.keys(value).sort(compareGoStrings)) {
    const member = value[key];
    if (member !== null && member !== undefined) setOwn(kept, key, dropNulls(member));
  }
  return kept;
}

/** A copy with the keys in the order of their bytes. */
export function sortKeys(object: JsonObject): JsonObject {
  const sorted: JsonObject = {};
  for (const key of Object.keys(object).sort(compareGoStrings)) setOwn(sorted, key, object[key]);
  return sorted;
}

/** What Go's decoder calls the value: `array`, `string`, `number`, `bool`. */
export function jsonKind(value: JsonValue): string {
  const kind = goKind(value);
  if (kind === 'slice') return 'array';
  if (kind === 'map') return 'object';
  return kind === 'int64' || kind === 'float64' ? 'number' : kind;
}
