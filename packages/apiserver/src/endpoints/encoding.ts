// Objects to bytes in the media types that there are. JSON and protobuf of stored objects are kept
// with the entry; this file knows the shapes, the codecs are apimachinery's.

import {
  encodeCbor,
  encodeJson,
  encodeJsonText,
  encodeProtobuf,
  encodeProtobufMessage,
  encodeYaml,
  parseApiVersion,
  statusErrors,
  typeForKind,
  type JsonValue,
  type KubeObject,
  type StructType,
} from '@keelson/apimachinery';
import type { StoredEntry } from '../storage/storage.ts';
import type { OutputFormat } from './negotiation.ts';

export function encodeOutput(object: KubeObject, format: OutputFormat): Uint8Array {
  switch (format.mediaType) {
    case 'application/yaml':
      return encodeYaml(object);
    case 'application/vnd.kubernetes.protobuf':
      return encodeProtobuf(object, protobufType(object));
    case 'application/cbor':
      return encodeCbor(object);
    case 'application/json':
      return format.pretty ? prettyJson(object) : encodeJson(object);
  }
}

/**
 * The schema of the object's own kind. Throws 406 for what has no protobuf form, such as tables and
 * custom resources.
 */
export function protobufType(object: KubeObject): StructType {
  const gv = parseApiVersion(object.apiVersion ?? '');
  const type =
    gv === undefined || object.kind === undefined
      ? undefined
      : typeForKind({ ...gv, kind: object.kind });
  if (type === undefined || object.kind === 'Table')
    throw statusErrors.notAcceptable(
      'only the following media types are accepted: application/json, application/yaml',
    );
  return type;
}

/** The message of a stored object as lists and watches hold it; made once. */
export function storedProtobufMessage(
  entry: StoredEntry,
  type: StructType,
  apiVersion: string,
): Uint8Array {
  return entry.encoding(`protobuf:${apiVersion}`, (object) => encodeProtobufMessage(object, type));
}

/** Integers of 64 bits are written as they were read. */
function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isLarge = typeof value === 'number' && !Number.isSafeInteger(value);
  const text = context?.source;
  return isLarge && text !== undefined ? JSON.rawJSON(text) : value;
}

function prettyJson(object: KubeObject): Uint8Array {
  return Buffer.from(
    `${JSON.stringify(JSON.parse(encodeJsonText(object as unknown as JsonValue), exactly), null, 2)}\n`,
  );
}

/**
 * The JSON of a stored object as GET and watches send it, `kind` and `apiVersion` first; made once.
 */
export function storedJson(entry: StoredEntry, apiVersion: string): Uint8Array {
  return entry.encoding(`json:${apiVersion}`, encodeJson);
}

/**
 * The JSON of a stored object as an item of a typed list, less the opening brace: Go's typed lists
 * carry no `kind` and `apiVersion` in their items. Usually a view into the bytes of `storedJson`.
 */
export function storedJsonItem(
  entry: StoredEntry,
  head: Uint8Array,
  apiVersion: string,
): Uint8Array {
  const whole = storedJson(entry, apiVersion);
  if (startsWith(whole, head)) return whole.subarray(head.byteLength);
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = entry.object;
  return encodeJson(rest as KubeObject).subarray(1);
}

/** What the JSON of every object of a kind begins with. */
export function jsonHead(kind: string, apiVersion: string): Uint8Array {
  return Buffer.from(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`);
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  if (bytes.byteLength < head.byteLength) return false;
  for (let i = 0; i < head.byteLength; i++) if (bytes[i] !== head[i]) return false;
  return true;
}
