// Calls webhooks: the one place from which the server sends requests to addresses that objects of
// the API name. The address is an https URL or a service of the cluster; a service is found through
// a `ServiceResolver` and its certificate must be for `<service>.<namespace>.svc`, whatever it
// resolved to.
//
// SECURITY: certificates are always verified, against `caBundle` alone when there is one. Redirects
// are not followed, proxies of the environment are not used, and no connection is made to an
// address that `isForbiddenAddress` names; it is checked after the name was resolved, on the
// address that is connected to. Answers are bounded in size and time. What goes wrong is worded as
// client-go does.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { formatGoDuration, nextTurn, sleep, type Clock } from '@keelson/apimachinery';
import { readWhole } from './answer-body.ts';
import { addressOfUrl } from './outbound.ts';
import { allowedLookup, isForbiddenAddress, WebhookAddressError } from './webhook-address.ts';
import { connectionErrorText, refusalText } from './webhook-errors.ts';

/** Where a webhook is: `WebhookClientConfig` of the API, which names exactly one of the two. */
export interface WebhookAddress {
  readonly url?: string;
  readonly service?: {
    readonly namespace: string;
    readonly name: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** PEM in base64. Absent: the authorities that the runtime trusts. */
  readonly caBundle?: string;
}

export interface ServicePort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}
/** Finds where a service is reached. Throws an error that says why it cannot be. */
export interface ServiceResolver {
  resolve(service: ServicePort): { readonly host: string; readonly port: number };
}

/** How the server shows a webhook who it is; from files of the administrator, never from objects. */
export interface WebhookCredentials {
  /** The value of the header `Authorization`. */
  authorization?(): string;
  readonly certificate?: { readonly certificatePem: string; readonly privateKeyPem: string };
  /** The name that the certificate of the webhook must be for, if not its host's. */
  readonly serverName?: string;
}

export interface WebhookCall {
  readonly address: WebhookAddress;
  /** JSON. */
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly credentials?: WebhookCredentials;
  /** False leaves `?timeout=` out of the URL. */
  readonly tellsTimeout?: boolean;
}

export interface WebhookClient {
  /**
   * Posts and answers the body of a 2xx answer. Everything else is a thrown `WebhookError` whose
   * message is client-go's. Answers with `Retry-After` are tried again while there is time.
   */
  post(call: WebhookCall): Promise<Uint8Array>;
  /** Closes idle connections; calls under way go on. */
  close(): void;
}

export interface WebhookClientOptions {
  readonly clock: Clock;
  readonly services: ServiceResolver;
  readonly answerBytesMax: number;
  readonly userAgent?: string;
}

/** A call that brought no answer to look at. */
export class WebhookError extends Error {
  /** HTTP status of the webhook's refusal; 0 when there was none. */
  readonly status: number;
  constructor(message: string, options: { readonly status?: number; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'WebhookError';
    this.status = options.status ?? 0;
  }
}

const retriesMax = 10;
const connectionsPerHostMax = 64;
const idleConnectionsMax = 64;
const idleConnectionMs = 90_000;

export function createWebhookClient(options: WebhookClientOptions): WebhookClient {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: connectionsPerHostMax,
    maxFreeSockets: idleConnectionsMax,
    timeout: idleConnectionMs,
    scheduling: 'lifo',
  });
  return {
    async post(call) {
      const deadline = new AbortController();
      const cancelTimer = options.clock.after(call.timeoutMs, () => deadline.abort());
      const signals = call.signal === undefined ? [] : [call.signal];
      const signal = AbortSignal.any([deadline.signal, ...signals]);
      try {
        return await postWithRetries({ ...options, agent }, call, signal);
      } finally {
        cancelTimer();
      }
    },
    close: () => agent.destroy(),
  };
}

interface Connections extends WebhookClientOptions {
  readonly agent: Agent;
}

async function postWithRetries(
  connections: Connections,
  call: WebhookCall,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const target = targetOf(call);
  const failed = (cause: unknown) => {
    const why = signal.aborted ? 'context deadline exceeded' : connectionErrorText(cause);
    return new WebhookError(`Post ${JSON.stringify(target.url.href)}: ${why}`, { cause });
  };
  for (let tries = 0; ; tries++) {
    let answer: Answer;
    try {
      answer = await send(connections, target, { body: call.body, signal });
    } catch (error) {
      throw failed(error);
    }
    const wait = retryAfterMs(answer);
    if (wait === undefined || tries === retriesMax) return bodyOrRefusal(answer);
    await sleep(connections.clock, wait, signal).catch((error: unknown) => {
      throw failed(error);
    });
  }
}

interface Target {
  readonly url: URL;
  readonly service: ServicePort | undefined;
  readonly ca: string | undefined;
  readonly credentials: WebhookCredentials;
}

const defaultPort = 443;

function targetOf(call: WebhookCall): Target {
  const { address, timeoutMs, credentials = {}, tellsTimeout = true } = call;
  const { service, caBundle } = address;
  const timeout = formatGoDuration(BigInt(Math.round(timeoutMs * 1e6)));
  const query = tellsTimeout ? `?timeout=${timeout}` : '';
  const ca = caBundle ? Buffer.from(caBundle, 'base64').toString('latin1') : undefined;
  if (service === undefined) {
    if (!address.url) throw new WebhookError('no configuration for webhook service or url', {});
    const url = new URL(address.url);
    if (url.protocol !== 'https:') throw new WebhookError('webhooks are called by https', {});
    if (tellsTimeout) url.search = query;
    return { url, service: undefined, ca, credentials };
  }
  const { namespace, name, port = defaultPort, path = '/' } = service;
  const slash = path.startsWith('/') ? '' : '/';
  const text = `https://${name}.${namespace}.svc:${port}${slash}${path}${query}`;
  return { url: spelledWithPort(text), service: { namespace, name, port }, ca, credentials };
}

/** COMPAT: the URL of a service names its port, also where it is that of the scheme. */
function spelledWithPort(text: string): URL {
  const url = new URL(text);
  return Object.defineProperty(url, 'href', { value: text });
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
interface Outgoing {
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

/**
 * A request whose connection had ended before anything was written to it goes out again, over another
 * one. Once something was written nothing is repeated: the webhook may have acted on it (the
 * rule of Go's net/http for requests that are not idempotent).
 */
async function send(connections: Connections, target: Target, outgoing: Outgoing): Promise<Answer> {
  // Each turn takes one ended connection out of those that are kept, of which there are few.
  for (;;) {
    try {
      return await sendOnce(connections, target, outgoing);
    } catch (error) {
      if (!(error instanceof NothingWritten)) throw error;
    }
  }
}

class NothingWritten extends Error {}

function sendOnce(
  { agent, services, answerBytesMax, userAgent = 'keelson' }: Connections,
  { url, service, ca, credentials }: Target,
  { body, signal }: Outgoing,
): Promise<Answer> {
  const named = addressOfUrl(url);
  const place = service === undefined ? named : services.resolve(service);
  if (isIP(place.host) !== 0 && isForbiddenAddress(place.host))
    throw new WebhookAddressError(place.host);
  const { certificate, serverName = named.host } = credentials;
  const authorization = credentials.authorization?.();
  return new Promise((resolve, reject) => {
    const sent = httpsRequest({
      agent,
      host: place.host,
      port: place.port,
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      lookup: checkedLookup,
      // Absent for addresses, which no server name may be.
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      ...(certificate && { cert: certificate.certificatePem, key: certificate.privateKeyPem }),
      ...(ca === undefined ? {} : { ca }),
      minVersion: 'TLSv1.2',
      signal,
      headers: {
        host: service === undefined ? url.host : `${named.host}:${service.port}`,
        'user-agent': userAgent,
        'content-type': 'application/json',
        accept: 'application/json, */*',
        'accept-encoding': 'gzip',
        'content-length': body.byteLength,
        ...(authorization === undefined ? {} : { authorization }),
      },
    });
    let isWritten = false;
    sent.once('error', (error) => {
      const isStale = sent.reusedSocket && !isWritten && !signal.aborted;
      reject(isStale ? new NothingWritten('', { cause: error }) : error);
    });
    sent.once('socket', () => {
      void untilEndsAreSeen(sent.reusedSocket).then(() => {
        if (sent.destroyed) return;
        isWritten = true;
        sent.end(body);
      });
    });
    sent.once('response', (response) => {
      readAnswer(response, answerBytesMax).then(resolve, reject);
    });
  });
}

/**
 * That the webhook closed a kept connection may be known to the system and not yet to us: two turns
 * of the event loop have one reading of events between them.
 */
async function untilEndsAreSeen(isKept: boolean): Promise<void> {
  if (!isKept) return;
  await nextTurn();
  await nextTurn();
}

const unzip = promisify(gunzip);

async function readAnswer(response: IncomingMessage, bytesMax: number): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  const body = await readWhole(response, bytesMax, 'the answer');
  const isPacked = headers['content-encoding'] === 'gzip';
  return {
    status,
    headers,
    body: isPacked ? await unzip(body, { maxOutputLength: bytesMax }) : body,
  };
}

const checkedLookup = allowedLookup((address) => new WebhookAddressError(address));

function retryAfterMs({ status, headers }: Answer): number | undefined {
  if (status !== 429 && status < 500) return undefined;
  const text = headers['retry-after'] ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

function bodyOrRefusal({ status, body }: Answer): Uint8Array {
  if (status >= 200 && status <= 206) return body;
  throw new WebhookError(refusalText(status, body), { status });
}
