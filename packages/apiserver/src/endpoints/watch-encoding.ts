// Watch events to bytes. For JSON an event wraps the bytes of the stored object, and the wrapped
// form is kept with the entry, so a thousand watchers share one buffer.

import {
  encodeCbor,
  encodeProtobufEnvelope,
  encodeProtobufWatchEvent,
  type KubeObject,
} from '@keelson/apimachinery';
import type { StoredEntry } from '../storage/storage.ts';
import { encodeOutput, storedJson, storedProtobufMessage } from './encoding.ts';
import { internalForm } from './internal-object.ts';
import type { OutputFormat } from './negotiation.ts';
import { partialObject } from './partial-metadata.ts';
import type { ResourceRequest } from './resource-request.ts';
import { tableOf } from './table.ts';

export interface EventEncoder {
  /** An event about an object as it is stored. */
  stored(type: string, entry: StoredEntry): Uint8Array;
  /** An ADDED event that is not kept: watchers begin at different times, so nobody shares it. */
  initial(entry: StoredEntry): Uint8Array;
  /** An event about any object of the served version; `stored` is what it was converted from. */
  object(type: string, object: KubeObject, stored?: KubeObject): Uint8Array;
}

const eventEnd = Buffer.from('}\n');

export function createEventEncoder(request: ResourceRequest, format: OutputFormat): EventEncoder {
  let columnsSent = false;
  const shape = (object: KubeObject, stored: KubeObject): KubeObject => {
    if (format.as === '' || (object.kind === 'Status' && object.apiVersion === 'v1')) return object;
    const shown = { stored, served: object };
    if (format.as !== 'Table')
      return partialObject(internalForm(request.endpoint, shown), format.asVersion);
    const list = { metadata: object.metadata.resourceVersion };
    const table = tableOf(request, [shown], { list, format, columns: !columnsSent });
    columnsSent = true;
    return table;
  };
  const isProtobuf = format.mediaType === 'application/vnd.kubernetes.protobuf';
  const isCbor = format.mediaType === 'application/cbor';
  const encode = (type: string, object: KubeObject, stored = object): Uint8Array => {
    if (isCbor) return encodeCbor({ type, object: shape(object, stored) });
    const bytes = encodeOutput(
      shape(object, stored),
      isProtobuf ? format : { ...format, mediaType: 'application/json', pretty: false },
    );
    return isProtobuf ? frame(encodeProtobufWatchEvent(type, bytes)) : wrap(type, bytes);
  };
  const { definition } = request.endpoint;
  const isShaped = format.as !== '' || format.mediaType === 'application/yaml';
  const encodeStored = (type: string, entry: StoredEntry): Uint8Array => {
    const { apiVersion = '', kind = '' } = entry.object;
    if (isCbor) return encode(type, entry.object);
    if (!isProtobuf) return wrap(type, storedJson(entry, apiVersion));
    const message = storedProtobufMessage(entry, definition.type, apiVersion);
    const envelope = encodeProtobufEnvelope({ apiVersion, kind }, message);
    return frame(encodeProtobufWatchEvent(type, envelope));
  };
  return {
    object: encode,
    stored(type, entry) {
      if (isShaped) return encode(type, entry.object);
      const { apiVersion = '' } = entry.object;
      const key = `watch:${format.mediaType}:${type}:${apiVersion}`;
      return entry.encoding(key, () => encodeStored(type, entry));
    },
    initial: (entry) => (isShaped ? encode('ADDED', entry.object) : encodeStored('ADDED', entry)),
  };
}

/** Protobuf streams are made of frames: four bytes of length, big endian, and the message. */
function frame(message: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(message.byteLength + 4);
  framed.writeUInt32BE(message.byteLength, 0);
  framed.set(message, 4);
  return framed;
}

function wrap(type: string, object: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), trimEnd(object), eventEnd]);
}

function trimEnd(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}
