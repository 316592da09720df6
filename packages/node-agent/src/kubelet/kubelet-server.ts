// The HTTPS server of all simulated nodes of a process, on a free port of this machine: what the
// kubelet of a node serves, told apart by the host that is asked for, and the metrics API.
//
//   /containerLogs /exec /attach /portForward /stats/summary /metrics /metrics/resource /pods
//   /runningpods /configz /healthz
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
import type { Node, NodeStatus } from '@keelson/apimachinery/types/core.v1';
import { hasRunning } from '../simulated/pod-life.ts';
import type { PodRecord } from '../simulated/pod-record.ts';
import type { SimulatedNode } from '../simulated/simulated-node.ts';
import { answerJson, answerText } from './answers.ts';
import { findContainer } from './find-container.ts';
import { kubeletConfiguration } from './kubelet-configuration.ts';
import { createMetricsApi } from './metrics-api.ts';
import { deviceMetricsOf, resourceMetricsOf, summaryOf } from './node-metrics.ts';
import type { PodPorts } from './pod-ports.ts';
import { serveLogs } from './serve-logs.ts';
import { isStreamPath, refuseUpgrade, serveUpgrade, type Connection } from './upgrades.ts';

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
  /** What answers at the ports of pods. */
  readonly ports: PodPorts;
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

function createKubelet(options: KubeletServerOptions) {
  const { clock, ports } = options;
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
      if (isStreamPath(pathname)) return answerText(response, 400, 'Upgrade request required');
      const status = options.nodeObject(node.name)?.status ?? {};
      answerOther({ node, status, now: now() }, pathname, response);
    },
    async upgrade(request: IncomingMessage, connection: Connection): Promise<void> {
      const { pathname: path, searchParams: query } = new URL(
        request.url ?? '/',
        'https://kubelet',
      );
      const refuse = (status: number, text: string) =>
        refuseUpgrade(connection.socket, { status, text });
      const node = nodeOf(request);
      const refusal = await options.refusalOf(callOf(request, path, node));
      if (refusal !== undefined) return refuse(...refusal);
      if (node === undefined) return refuse(404, 'there is no such node here');
      if (!isStreamPath(path)) return refuse(404, '404 page not found\n');
      await serveUpgrade({ node, request, connection, path, query, ports, clock });
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

interface AskedNode {
  readonly node: SimulatedNode;
  readonly status: NodeStatus;
  readonly now: number;
}

function answerOther(
  { node, status, now }: AskedNode,
  path: string,
  response: ServerResponse,
): void {
  if (healthPaths.has(path)) return answerText(response, 200, 'ok');
  if (path === '/configz') return answerJson(response, 200, kubeletConfiguration(status));
  if (path === '/stats/summary') return answerJson(response, 200, summaryOf(node, now));
  if (path === '/metrics') return answerText(response, 200, deviceMetricsOf(node));
  if (path === '/metrics/resource') return answerText(response, 200, resourceMetricsOf(node, now));
  const records = podsAt(node, path);
  if (records !== undefined) {
    const items = records.map(({ pod }) => pod);
    return answerJson(response, 200, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items });
  }
  answerText(response, 404, '404 page not found\n');
}

const healthPaths = new Set(['/healthz', '/healthz/ping', '/healthz/log', '/healthz/syncloop']);

/** Those that it has, or those that run; undefined for another path. */
function podsAt({ pods }: SimulatedNode, path: string): readonly PodRecord[] | undefined {
  if (path === '/pods' || path === '/pods/') return pods.list();
  return path === '/runningpods/' ? pods.list().filter(hasRunning) : undefined;
}
