// An extension API server for tests: real HTTPS, an own authority, and the front proxy's
// certificate asked of whoever connects. It remembers every request that reached it.

import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { KeyPairPem } from '../../authentication/certificates/certificate-authority.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** Common name of the client's certificate, when it is one of the front proxy. */
  readonly clientName: string | undefined;
}

export interface ExtensionServer {
  readonly port: number;
  /** Without the probes and readings of the aggregator itself. */
  readonly received: ReceivedRequest[];
  /** Answers of paths, in place of the default ones; true when it has answered. */
  answer: (req: IncomingMessage, res: ServerResponse, body: string) => boolean;
  close(): Promise<void>;
}

export interface ExtensionServerOptions {
  readonly serving: KeyPairPem;
  readonly frontProxyCaPem: string;
  readonly group: string;
  readonly version: string;
}

export async function openExtensionServer(
  options: ExtensionServerOptions,
): Promise<ExtensionServer> {
  const received: ReceivedRequest[] = [];
  const server = createServer({
    key: options.serving.privateKeyPem,
    cert: options.serving.certificatePem,
    ca: options.frontProxyCaPem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const record = (req: IncomingMessage, body: string) => {
    const socket = req.socket as TLSSocket;
    if (req.headers['x-remote-user'] === 'system:kube-aggregator') return;
    received.push({
      method: req.method ?? '',
      url: req.url ?? '',
      headers: req.headers,
      rawHeaders: req.rawHeaders,
      body,
      clientName: socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined,
    });
  };
  const extension: ExtensionServer = {
    get port() {
      return (server.address() as AddressInfo).port;
    },
    received,
    answer: () => false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (req, res) => {
    void readText(req).then((body) => {
      record(req, body);
      if (extension.answer(req, res, body)) return;
      answerDefault(req, res, options);
    });
  });
  server.on('upgrade', (req, socket, head) => {
    record(req, '');
    socket.on('error', () => {});
    if (req.url?.includes('/refuse')) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\nno\n');
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n',
    );
    if (head.byteLength > 0) socket.write(head);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return extension;
}

async function readText(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function answerDefault(
  req: IncomingMessage,
  res: ServerResponse,
  { group, version }: ExtensionServerOptions,
): void {
  const path = req.url?.split('?')[0] ?? '';
  const documents: Readonly<Record<string, object>> = {
    [`/apis/${group}/${version}`]: resourceList(group, version),
    '/openapi/v3': {
      paths: {
        [`apis/${group}/${version}`]: {
          serverRelativeURL: `/openapi/v3/apis/${group}/${version}?hash=ABC`,
        },
      },
    },
    [`/openapi/v3/apis/${group}/${version}`]: { openapi: '3.0.0', from: 'the extension' },
    '/openapi/v2': openApiV2(group, version),
  };
  const document = documents[path] ?? (path.startsWith(`/apis/${group}/`) ? { path } : undefined);
  res.setHeader('content-type', 'application/json');
  res.statusCode = document === undefined ? 404 : 200;
  res.end(JSON.stringify(document ?? {}));
}

function resourceList(group: string, version: string): object {
  const named = (name: string, rest: object) => ({
    name,
    singularName: name.includes('/') ? '' : 'thing',
    namespaced: true,
    kind: 'Thing',
    verbs: ['get', 'list'],
    ...rest,
  });
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${group}/${version}`,
    resources: [
      named('things', { shortNames: ['th'] }),
      named('things/scale', { group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get'] }),
    ],
  };
}

function openApiV2(group: string, version: string): object {
  const reference = (name: string) => ({ $ref: `#/definitions/${name}` });
  const get = (schema: object) => ({ get: { responses: { 200: { description: 'OK', schema } } } });
  return {
    swagger: '2.0',
    info: { title: 'extension', version: '1' },
    paths: {
      [`/apis/${group}/${version}/things`]: get(reference('com.example.Thing')),
      '/api/v1/pods': get(reference('com.example.Unused')),
    },
    definitions: {
      'com.example.Thing': {
        type: 'object',
        properties: {
          metadata: reference('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'),
        },
      },
      'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { type: 'object', description: 'other' },
      'com.example.Unused': { type: 'object' },
    },
  };
}
