// A client that speaks nothing but protobuf, over TLS: what client-go does with built-in kinds when
// it is told to. Every answer must come in that form, too.

import { once } from 'node:events';
import { Agent, request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import assert from 'node:assert/strict';
import {
  asKubeObject,
  builtinType,
  decodeProtobuf,
  decodeProtobufMessage,
  encodeProtobuf,
  parseApiVersion,
  parseYaml,
  typeForKind,
  type JsonObject,
} from '@keelson/apimachinery';

export const protobuf = 'application/vnd.kubernetes.protobuf';

export interface WireAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Buffer;
  /** The body as the object in its envelope. */
  object(): JsonObject;
}
export interface WireEvent {
  readonly type: string;
  readonly object: JsonObject;
}
export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as protobuf. */
  readonly body?: JsonObject | Uint8Array;
}
export interface WireClient {
  call(method: string, path: string, options?: CallOptions): Promise<WireAnswer>;
  /** Reads events up to the one that is wanted. */
  watch(
    path: string,
    isLast: (event: WireEvent) => boolean,
  ): Promise<{ readonly events: Promise<readonly WireEvent[]> }>;
  close(): void;
}

/** `kubeconfig` has a client certificate, as `keelson up` and `createCluster()` write it. */
export function createWireClient(kubeconfig: string): WireClient {
  const { server, tls } = readKubeconfig(kubeconfig);
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: 200 });
  const send = async (
    method: string,
    path: string,
    { headers = {}, body }: CallOptions = {},
  ): Promise<IncomingMessage> => {
    const bytes = body === undefined || body instanceof Uint8Array ? body : encodeObject(body);
    const options: RequestOptions = {
      method,
      agent,
      headers: {
        accept: protobuf,
        ...(bytes === undefined
          ? {}
          : { 'content-type': protobuf, 'content-length': String(bytes.length) }),
        ...headers,
      },
    };
    const sent = request(server + path, options);
    sent.end(bytes);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  };
  return {
    async call(method, path, options) {
      const answer = await send(method, path, options);
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const bytes = Buffer.concat(chunks);
      return {
        status: answer.statusCode ?? 0,
        contentType: answer.headers['content-type'] ?? '',
        bytes,
        object: () => decodeObject(bytes),
      };
    },
    async watch(path, isLast) {
      const answer = await send('GET', path);
      assert.equal(answer.statusCode, 200, path);
      assert.equal(answer.headers['content-type'], `${protobuf};stream=watch`);
      return { events: readEvents(answer, isLast) };
    },
    close: () => agent.destroy(),
  };
}

function encodeObject(object: JsonObject): Uint8Array {
  const gv = parseApiVersion(String(object['apiVersion']));
  const type = gv && typeForKind({ ...gv, kind: String(object['kind']) });
  assert.ok(type, `${String(object['apiVersion'])} ${String(object['kind'])}`);
  return encodeProtobuf(asKubeObject(object), type);
}

function decodeObject(bytes: Uint8Array): JsonObject {
  return decodeProtobuf(bytes).object as unknown as JsonObject;
}

const watchEvent = builtinType('io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent');

/** Frames of four bytes of length, big endian, and a WatchEvent. */
async function readEvents(
  answer: IncomingMessage,
  isLast: (event: WireEvent) => boolean,
): Promise<readonly WireEvent[]> {
  assert.ok(watchEvent);
  const events: WireEvent[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of answer) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      const event = decodeProtobufMessage(rest.subarray(4, end), watchEvent);
      rest = rest.subarray(end);
      const { type, object } = event as { type: string; object: JsonObject };
      events.push({ type, object });
      if (!isLast({ type, object })) continue;
      answer.destroy();
      return events;
    }
  }
  throw new Error(`the watch ended after ${events.length} events`);
}

interface Connection {
  readonly server: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

function readKubeconfig(text: string): Connection {
  const config = parseYaml(Buffer.from(text)).value as unknown as {
    clusters: [{ cluster: Record<string, string> }];
    users: [{ user: Record<string, string> }];
  };
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  const pem = (base64 = '') => Buffer.from(base64, 'base64').toString();
  return {
    server: cluster['server'] ?? '',
    tls: {
      ca: pem(cluster['certificate-authority-data']),
      cert: pem(user['client-certificate-data']),
      key: pem(user['client-key-data']),
    },
  };
}
