// An admission webhook that plays the replies of a recording: HTTPS on a free port of this machine,
// with an authority of its own.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { isJsonObject, systemClock, systemRandom, type JsonObject } from '@keelson/apimachinery';
import { createCertificateAuthority } from '@keelson/apiserver';

/** What one call is answered; see the README of the recordings. */
export interface Reply {
  readonly response?: JsonObject;
  readonly patch?: readonly JsonObject[];
  readonly patchText?: string;
  readonly body?: JsonObject;
  readonly bodyText?: string;
  readonly repeat?: number;
  readonly pad?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
  readonly close?: boolean;
}
export interface Call {
  readonly path: string;
  readonly body: JsonObject | null;
  readonly authorization: string | undefined;
}
export interface WebhookServer {
  readonly port: number;
  /** Base64. */
  readonly caBundle: string;
  /** What to answer from now on, by path; a list is used up, but for its last reply. */
  play(replies: Readonly<Record<string, Reply | readonly Reply[]>>): void;
  /** The calls since `play`, in the order of arrival. */
  readonly calls: Call[];
  close(): Promise<void>;
}

/** What is odd about the certificate of a server; by itself it is good for this machine. */
export interface OddCertificate {
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** Negative: it has expired. */
  readonly validForMs?: number;
}

export async function startWebhookServer(odd: OddCertificate = {}): Promise<WebhookServer> {
  const authority = createCertificateAuthority(
    { clock: systemClock, random: systemRandom },
    { commonName: 'webhook-tests' },
  );
  const serving = authority.issueServing({
    commonName: 'localhost',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    ...odd,
  });
  let replies: Readonly<Record<string, Reply | readonly Reply[]>> = {};
  const calls: Call[] = [];
  const listener = createServer(
    { key: serving.privateKeyPem, cert: serving.certificatePem },
    (request, response) => {
      void readBody(request).then(async (text) => {
        const path = new URL(request.url ?? '/', 'https://webhook').pathname;
        const parsed = text === '' ? null : (JSON.parse(text) as JsonObject);
        const earlier = calls.filter((call) => call.path === path).length;
        calls.push({ path, body: parsed, authorization: request.headers.authorization });
        const planned = replies[path] ?? {};
        const list = 'length' in planned ? planned : [planned as Reply];
        await answer(response, parsed, list[Math.min(earlier, list.length - 1)] ?? {});
      });
    },
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    caBundle: Buffer.from(authority.certificatePem).toString('base64'),
    calls,
    play(next) {
      replies = next;
      calls.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      }),
  };
}

async function answer(
  response: ServerResponse,
  review: JsonObject | null,
  reply: Reply,
): Promise<void> {
  if (reply.delayMs !== undefined)
    await new Promise((resolve) => setTimeout(resolve, reply.delayMs));
  if (reply.close === true) return void response.destroy();
  response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
  response.end(textOf(review, reply));
}

function textOf(review: JsonObject | null, reply: Reply): string {
  const request = review?.['request'];
  const uid = isJsonObject(request) ? String(request['uid']) : '';
  if (reply.bodyText !== undefined) return reply.bodyText.repeat(reply.repeat ?? 1);
  if (reply.body !== undefined) return JSON.stringify(reply.body).replaceAll('${uid}', uid);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const body = {
    apiVersion: review?.['apiVersion'],
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: true,
      ...(reply.patch && {
        patch: base64(JSON.stringify(reply.patch)),
        patchType: 'JSONPatch',
      }),
      ...(reply.patchText !== undefined && { patch: base64(reply.patchText) }),
      ...(reply.pad !== undefined && { auditAnnotations: { pad: 'x'.repeat(reply.pad) } }),
      ...reply.response,
    },
  };
  return JSON.stringify(body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
