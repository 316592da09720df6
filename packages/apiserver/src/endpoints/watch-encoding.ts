// Watch events to bytes. For JSON an event wraps the bytes of the stored object, and the wrapped
// form is kept with the entry, so a thousand watchers share one buffer.

import { encodeJson, type KubeObject } from '@keelson/apimachinery';
import { encodeProtobufWatchEvent } from './pending-codecs.ts';
import type { StoredEntry } from '../storage/storage.ts';
import { encodeOutput, storedJson } from './encoding.ts';
import type { OutputFormat } from './negotiation.ts';
import { partialObject } from './partial-metadata.ts';
import type { ResourceRequest } from './resource-request.ts';
import { tableOf } from './table.ts';

export interface EventEncoder {
  /** An event about an object as it is stored. */
  stored(type: string, entry: StoredEntry): Uint8Array;
  /** An event about any object. */
  object(type: string, object: KubeObject): Uint8Array;
}

const eventEnd = Buffer.from('}\n');

export function createEventEncoder(request: ResourceRequest, format: OutputFormat): EventEncoder {
  let columnsSent = false;
  const shape = (object: KubeObject): KubeObject => {
    if (format.as === '' || (object.kind === 'Status' && object.apiVersion === 'v1')) return object;
    if (format.as !== 'Table') return partialObject(object, format.asVersion);
    const table = tableOf(request, [object], { metadata: object.metadata.resourceVersion }, format, !columnsSent);
    columnsSent = true;
    return table;
  };
  const encode = (type: string, object: KubeObject): Uint8Array => {
    const shaped = shape(object);
    if (format.mediaType === 'application/vnd.kubernetes.protobuf') return encodeProtobufWatchEvent(type, shaped);
    return wrap(type, format.mediaType === 'application/json' ? encodeJson(shaped) : encodeOutput(shaped, { ...format, mediaType: 'application/json' }));
  };
  const plainJson = format.mediaType === 'application/json' && format.as === '';
  return {
    object: encode,
    stored(type, entry) {
      if (!plainJson) return encode(type, entry.object);
      const apiVersion = entry.object.apiVersion ?? '';
      return entry.encoding(`watch:${type}:${apiVersion}`, () => wrap(type, storedJson(entry, apiVersion)));
    },
  };
}

function wrap(type: string, object: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), trimEnd(object), eventEnd]);
}

function trimEnd(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}
