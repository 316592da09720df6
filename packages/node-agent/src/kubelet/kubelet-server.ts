// The HTTPS server of all simulated nodes of a process, on a free port of this machine: what the
// kubelet of a node serves, told apart by the host that is asked for, and the metrics API.
//
//   /containerLogs /exec /attach /stats/summary /metrics/resource /pods /healthz
//   /apis/metrics.k8s.io
//
// SECURITY: who asks, and whether he may, is found out for every request before anything else, by
// the gate that the server was opened with.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { ContainerRecord, PodRecord } from '../simulated/pod-record.ts';
import type { SimulatedNode } from '../simulated/simulated-node.ts';
import { answerJson, answerText } from './answers.ts';
import { createMetricsApi } from './metrics-api.ts';
import { resourceMetricsOf, summaryOf } from './node-metrics.ts';
import { serveLogs } from './serve-logs.ts';
import { serveStreams, streamProtocols } from './serve-streams.ts';

/** PEM. */
export interface KubeletIdentity {
  readonly certificate: string;
  readonly key: string;
}
/** A request, before anything of it is done. */
export interface KubeletCall {
  readonly api: 'kubelet' | 'metrics';
  /** Its certificate has not been verified. */
  readonly socket: TLSSocket;
  readonly authorization: string | undefined;
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** Undefined when the request is for no node of this server. */
  readonly node: string | undefined;
}
/** The text of a refusal is shown as it is. */
export type Refusal = readonly [status: number, text: string];
/** Why the caller gets no answer; undefined when he may ask for it. */
export type KubeletGate = (call: KubeletCall) => Promise<Refusal | undefined>;

export interface KubeletServerOptions {
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly nodeObject: (name: string) => Node | undefined;
  readonly identity: KubeletIdentity;
  /** PEM. Clients are told that certificates of these are worth showing. */
  readonly clientAuthorities: readonly string[];
  readonly refusalOf: KubeletGate;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export interface KubeletServer {
  /** Of 127.0.0.1. */
  readonly port: number;
  close(): void;
}

export async function openKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const { identity, clientAuthorities, onError } = options;
  const server = createServer({
    key: identity.key,
    cert: identity.certificate,
    ca: [...clientAuthorities],
    minVersion: 'TLSv1.2',
    requestCert: true,
    rejectUnauthorized: false,
  });
  const serve = createKubelet(options);
  const sockets = new Set<Duplex>();
  server.on('secureConnection', (socket) => {
    socket.unref();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    serve.request(request, response).catch((error: unknown) => {
      onError(error);
      response.destroy();
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    serve.upgrade(request, { socket, head }).catch((error: unknown) => {
      onError(error);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.on('error', onError);
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

function createKubelet(options: KubeletServerOptions) {
  const { clock } = options;
  const now = () => clock.now();
  const metrics = createMetricsApi({ ...options, now });
  const addresses = new Map(
    [...options.nodes.values()].flatMap((node) => [
      [node.name, node] as const,
      [node.address, node] as const,
    ]),
  );
  const nodeOf = ({ headers }: IncomingMessage) =>
    addresses.get((headers.host ?? '').replace(/:\d+$/, ''));
  return {
    async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const { pathname, searchParams: query } = new URL(request.url ?? '/', 'https://kubelet');
      const node = nodeOf(request);
      const refusal = await options.refusalOf(callOf(request, pathname, node));
      if (refusal !== undefined) return answerText(response, ...refusal);
      if (isMetricsApi(pathname)) {
        const { status, body } = metrics.answer(pathname, query);
        return answerJson(response, status, body);
      }
      if (node === undefined) return answerText(response, 404, 'there is no such node here');
      if (pathname.startsWith('/containerLogs/')) {
        const found = findContainer(node, pathname);
        if (typeof found === 'string') return answerText(response, 404, found);
        return serveLogs({ request, response, query, clock, ...found });
      }
      answerOther(node, pathname, response, now());
    },
    async upgrade(request: IncomingMessage, { socket, head }: Upgrade): Promise<void> {
      const { pathname, searchParams: query } = new URL(request.url ?? '/', 'https://kubelet');
      const refuse = (status: number, text: string) => refuseUpgrade(socket, status, text);
      const node = nodeOf(request);
      const refusal = await options.refusalOf(callOf(request, pathname, node));
      if (refusal !== undefined) return refuse(...refusal);
      const kind = /^\/(exec|attach)\//.exec(pathname)?.[1] as 'exec' | 'attach' | undefined;
      if (node === undefined) return refuse(404, 'there is no such node here');
      if (pathname.startsWith('/portForward/'))
        return refuse(501, 'nothing listens in a simulated pod: no port can be forwarded');
      if (kind === undefined) return refuse(404, 'not found');
      const problem = protocolProblem(request);
      if (problem !== undefined) return refuse(400, problem);
      const found = findContainer(node, pathname);
      if (typeof found === 'string') return refuse(404, found);
      const { name } = found.container.spec;
      if (found.container.phase.is !== 'running')
        return refuse(500, `container not found ("${name}")`);
      await serveStreams({ request, socket, head, query, kind, now, ...found });
    },
  };
}

const isMetricsApi = (path: string) => path === '/apis' || path.startsWith('/apis/');

function callOf(
  { socket, headers, method = '' }: IncomingMessage,
  path: string,
  node: SimulatedNode | undefined,
): KubeletCall {
  return {
    api: isMetricsApi(path) ? 'metrics' : 'kubelet',
    socket: socket as TLSSocket,
    authorization: headers.authorization,
    method,
    path,
    node: node?.name,
  };
}

function answerOther(
  node: SimulatedNode,
  path: string,
  response: ServerResponse,
  now: number,
): void {
  if (path === '/healthz') return answerText(response, 200, 'ok');
  if (path === '/stats/summary') return answerJson(response, 200, summaryOf(node, now));
  if (path === '/metrics/resource') return answerText(response, 200, resourceMetricsOf(node, now));
  if (path === '/pods' || path === '/pods/') {
    const items = node.pods.list().map(({ pod }) => pod);
    return answerJson(response, 200, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items });
  }
  answerText(response, 404, '404 page not found\n');
}

interface Found {
  readonly record: PodRecord;
  readonly container: ContainerRecord;
}

/** `/what/NAMESPACE/POD/CONTAINER`; else what is wrong with it. */
function findContainer({ pods }: SimulatedNode, path: string): Found | string {
  const [, , namespace = '', pod = '', name = ''] = path.split('/').map(decodeURIComponent);
  const record = pods.find(namespace, pod);
  if (record === undefined) return `pod "${pod}" does not exist`;
  const container = record.containers.find(({ spec }) => spec.name === name);
  if (container === undefined) return `container "${name}" not found in pod "${pod}"`;
  return { record, container };
}

function protocolProblem({ headers }: IncomingMessage): string | undefined {
  if ((headers.upgrade ?? '').toLowerCase() !== 'websocket')
    return 'simulated nodes stream over WebSockets, which kubectl speaks from 1.30 on';
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
  if (offered.some((one) => streamProtocols.includes(one))) return undefined;
  return `none of the protocols is known; known are ${streamProtocols.join(', ')}`;
}

/** As a Status, for kubectl shows its message. */
function refuseUpgrade(socket: Duplex, code: number, message: string): void {
  const about = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
  const text = JSON.stringify({ ...about, message, code });
  socket.end(
    [
      `HTTP/1.1 ${code} Refused`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(text)}`,
      'connection: close',
      '',
      text,
    ].join('\r\n'),
  );
}
