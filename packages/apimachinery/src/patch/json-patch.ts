// JSON Patch (RFC 6902) as Kubernetes applies it, which is not quite the RFC:
//   - the path before the first slash is ignored, so `data/a` means `/a`;
//   - `replace` of a missing member sets it, `copy` of one gives null, `test` takes it as null;
//   - indices may be negative, counting from the end; `-` is the end, for `add` only;
//   - only `replace` and `test` may name the document itself (the empty path).
// The inputs are never changed; untouched parts are shared with the result. Bounds: the number of
// operations, and the bytes added by `copy`.

import { getOwn, isJsonObject, jsonEqual, type JsonObject, type JsonValue } from '../json.ts';
import { createJsonDocument, JsonAccessError, type JsonDocument } from './json-document.ts';
import { jsonKind } from './merge-patch.ts';
import { PatchError } from './patch-error.ts';

export interface JsonPatchLimits {
  readonly operationsMax: number;
  /** Accumulated over all `copy` operations, in bytes of JSON. */
  readonly copyBytesMax: number;
}
/** Those of kube-apiserver: 10,000 operations, and as many copied bytes as a request may have. */
export const jsonPatchLimits: JsonPatchLimits = {
  operationsMax: 10_000,
  copyBytesMax: 3 * 1024 * 1024,
};

/**
 * The document after all operations. Throws `PatchError`: bad-request when `patch` is not a list of
 * objects, too-large beyond the limit, unprocessable when an operation does not apply. Objects on
 * the way to a change come out with sorted keys (COMPAT: errors show the text).
 */
export function applyJsonPatch(
  doc: JsonValue,
  patch: JsonValue,
  limits: JsonPatchLimits = jsonPatchLimits,
): JsonValue {
  const operations = decodeOperations(patch, limits);
  const document = createJsonDocument(doc);
  const copies: CopyBudget = { bytes: 0, bytesMax: limits.copyBytesMax };
  for (const operation of operations) applyOperation(document, operation, copies);
  return document.snapshot(document.root());
}

function decodeOperations(patch: JsonValue, limits: JsonPatchLimits): JsonObject[] {
  if (patch === null) return [];
  if (!Array.isArray(patch)) throw cannotUnmarshal(patch, 'jsonpatch.Patch');
  if (patch.length > limits.operationsMax) {
    throw new PatchError(
      'too-large',
      `The allowed maximum operations in a JSON patch is ${limits.operationsMax}, got ${patch.length}`,
    );
  }
  return patch.map((operation) => {
    if (operation === null) return {};
    if (!isJsonObject(operation)) throw cannotUnmarshal(operation, 'jsonpatch.Operation');
    return operation;
  });
}

function cannotUnmarshal(value: JsonValue, goType: string): PatchError {
  const message = `json: cannot unmarshal ${jsonKind(value)} into Go value of type ${goType}`;
  return new PatchError('bad-request', message);
}

interface CopyBudget {
  bytes: number;
  readonly bytesMax: number;
}

function applyOperation(document: JsonDocument, operation: JsonObject, copies: CopyBudget): void {
  const op = getOwn(operation, 'op');
  switch (op) {
    case 'add':
      return applyAdd(document, operation);
    case 'remove':
      return applyRemove(document, operation);
    case 'replace':
      return applyReplace(document, operation);
    case 'move':
      return applyMove(document, operation);
    case 'copy':
      return applyCopy(document, operation, copies);
    case 'test':
      return applyTest(document, operation);
    default:
      throw failed(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`);
  }
}

function applyAdd(document: JsonDocument, operation: JsonObject): void {
  const path = readPath(operation, 'path', () => 'add operation failed to decode path');
  const target = document.find(path);
  if (!target) {
    throw failed(`add operation does not apply: doc is missing path: "${path}": missing value`);
  }
  within(`error in add for path: '${path}'`, () => target.add(valueOf(operation)));
}

function applyRemove(document: JsonDocument, operation: JsonObject): void {
  const path = readPath(operation, 'path', () => 'remove operation failed to decode path');
  const target = document.find(path);
  if (!target) {
    throw failed(`remove operation does not apply: doc is missing path: "${path}": missing value`);
  }
  within(`error in remove for path: '${path}'`, () => target.remove());
}

function applyReplace(document: JsonDocument, operation: JsonObject): void {
  const path = readPath(
    operation,
    'path',
    (why) => `replace operation failed to decode path: ${why}`,
  );
  const value = valueOf(operation);
  if (path === '') {
    if (typeof value !== 'object' || value === null) {
      throw failed('replace operation value must be object or array');
    }
    return document.replaceRoot(value);
  }
  const target = document.find(path);
  if (!target) {
    throw failed(`replace operation does not apply: doc is missing path: ${path}: missing value`);
  }
  if (target.isOutside) {
    throw failed(`replace operation does not apply: doc is missing key: ${path}: missing value`);
  }
  target.set(value);
}

function applyMove(document: JsonDocument, operation: JsonObject): void {
  const from = readPath(operation, 'from', (why) => `move operation failed to decode from: ${why}`);
  const source = document.find(from);
  if (!source) {
    throw failed(`move operation does not apply: doc is missing from path: ${from}: missing value`);
  }
  const value = within(`error in move for path: '${source.key}'`, () => {
    const moved = source.get();
    source.remove();
    return moved;
  });
  const path = readPath(operation, 'path', (why) => `move operation failed to decode path: ${why}`);
  const target = document.find(path);
  if (!target) {
    throw failed(
      `move operation does not apply: doc is missing destination path: ${path}: missing value`,
    );
  }
  within(`error in move for path: '${path}'`, () => target.add(value));
}

function applyCopy(document: JsonDocument, operation: JsonObject, copies: CopyBudget): void {
  const from = readPath(operation, 'from', (why) => `copy operation failed to decode from: ${why}`);
  const source = document.find(from);
  if (!source) {
    throw failed(`copy operation does not apply: doc is missing from path: ${from}: missing value`);
  }
  const value = within(`error in copy for from: '${from}'`, () => source.get());
  const path = readPath(operation, 'path', () => 'copy operation failed to decode path');
  const target = document.find(path);
  if (!target) {
    throw failed(
      `copy operation does not apply: doc is missing destination path: ${path}: missing value`,
    );
  }
  if (value !== null) copies.bytes += jsonBytes(value, copies.bytesMax - copies.bytes);
  if (copies.bytes > copies.bytesMax) {
    throw failed(
      `Unable to complete the copy, the accumulated size increase of copy is ${copies.bytes}, exceeding the limit ${copies.bytesMax}`,
    );
  }
  const copied = document.snapshot(value);
  within('error while adding value during copy', () => target.add(copied));
}

function applyTest(document: JsonDocument, operation: JsonObject): void {
  const path = readPath(operation, 'path', (why) => `test operation failed to decode path: ${why}`);
  const target = path === '' ? undefined : document.find(path);
  if (path !== '' && !target) {
    throw failed(`test operation does not apply: is missing path: ${path}: missing value`);
  }
  const actual = target
    ? within(`error in test for path: '${path}'`, () => target.get())
    : document.root();
  if (!jsonEqual(actual, valueOf(operation))) {
    throw failed(`testing value ${path} failed: test failed`);
  }
}

function readPath(
  operation: JsonObject,
  field: 'path' | 'from',
  describe: (why: string) => string,
): string {
  const value = getOwn(operation, field);
  if (typeof value === 'string') return value;
  const missing = `operation${field === 'from' ? ',' : ''} missing ${field} field: missing value`;
  const why =
    value === undefined || value === null
      ? missing
      : `json: cannot unmarshal ${jsonKind(value)} into Go value of type string`;
  const text = describe(why);
  throw failed(text.endsWith(why) ? text : `${text}: missing value`);
}

function valueOf(operation: JsonObject): JsonValue {
  return getOwn(operation, 'value') ?? null;
}

function failed(message: string): PatchError {
  return new PatchError('unprocessable', message);
}

/** Runs an access to the document; the text before its error says what was tried. */
function within<T>(what: string, access: () => T): T {
  try {
    return access();
  } catch (e) {
    if (e instanceof JsonAccessError) throw failed(`${what}: ${e.message}`);
    throw e;
  }
}

/** Bytes of the value as JSON; counting stops once they are more than `bytesMax`. */
function jsonBytes(value: JsonValue | undefined, bytesMax: number): number {
  if (typeof value === 'string') return Buffer.byteLength(JSON.stringify(value));
  if (typeof value !== 'object' || value === null) return String(value).length;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) {
      bytes += jsonBytes(item, bytesMax - bytes) + 1;
      if (bytes > bytesMax) return bytes;
    }
    return value.length > 0 ? bytes - 1 : bytes;
  }
  const keys = Object.keys(value);
  for (const key of keys) {
    bytes += jsonBytes(key, bytesMax - bytes) + jsonBytes(value[key], bytesMax - bytes) + 2;
    if (bytes > bytesMax) return bytes;
  }
  return keys.length > 0 ? bytes - 1 : bytes;
}
