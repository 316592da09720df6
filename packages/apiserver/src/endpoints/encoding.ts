// Objects to bytes in the three media types. JSON of stored objects is cached with the entry
// (`storedJson`); this file knows the shapes, the codecs are apimachinery's.

import { encodeJson, encodeJsonText, encodeYaml, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import { encodeProtobuf } from './pending-codecs.ts';
import type { StoredEntry } from '../storage/storage.ts';
import type { OutputFormat } from './negotiation.ts';

export function encodeOutput(object: KubeObject, format: OutputFormat): Uint8Array {
  switch (format.mediaType) {
    case 'application/yaml':
      return encodeYaml(object);
    case 'application/vnd.kubernetes.protobuf':
      return encodeProtobuf(object);
    case 'application/json':
      return format.pretty ? prettyJson(object) : encodeJson(object);
  }
}

function prettyJson(object: KubeObject): Uint8Array {
  return Buffer.from(`${JSON.stringify(JSON.parse(encodeJsonText(object as unknown as JsonValue)), null, 2)}\n`);
}

/** The JSON of a stored object as GET and watches send it, `kind` and `apiVersion` first; made once. */
export function storedJson(entry: StoredEntry, apiVersion: string): Uint8Array {
  return entry.encoding(`json:${apiVersion}`, encodeJson);
}

/**
 * The JSON of a stored object as an item of a typed list, less the opening brace: Go's typed lists carry no `kind` and
 * `apiVersion` in their items. Usually a view into the bytes of `storedJson`.
 */
export function storedJsonItem(entry: StoredEntry, head: Uint8Array, apiVersion: string): Uint8Array {
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
