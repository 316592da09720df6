// Hands a request on to another server and its answer back: streaming both ways, connections that
// change the protocol included. It decides nothing about who may; whoever calls it has authorized
// the request and says where it goes, as whom, and what becomes of redirects.

import { statusErrors } from '@keelson/apimachinery';
import type { RequestContext } from '../request-context.ts';
import {
  forwardedRequestHeaders,
  forwardedResponseHeaders,
  isUpgradeRequest,
  type Headers,
} from './forwarded-headers.ts';
import {
  formatAddress,
  OutboundError,
  type Address,
  type OutboundAnswer,
  type OutboundClient,
  type OutboundRequest,
} from './outbound.ts';
import { rewrittenLocation } from './rewritten-location.ts';
import { spliceConnections } from './splice-connections.ts';

export interface ProxyTarget {
  readonly client: OutboundClient;
  readonly protocol: 'http' | 'https';
  readonly address: Address;
  /** Path of the client's URL that stands for the root of the server behind; empty for the root. */
  readonly prefix: string;
  /** Escaped, without query. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
}

export interface ProxyPolicy {
  /** Headers to add, after those of the client were cleaned. */
  readonly headers?: Headers;
  /** Redirects are refused with 502; else those to the same server are led back through us. */
  readonly refuseRedirects: boolean;
  /** The connection must change the protocol. */
  readonly upgradeRequired?: boolean;
}

/**
 * Resolves when the exchange is over. Rejects with a StatusError as long as nothing was answered: the
 * server cannot be reached (503), or it did not behave.
 */
export async function proxyRequest(
  context: RequestContext,
  target: ProxyTarget,
  policy: ProxyPolicy,
): Promise<void> {
  const upgrade = isUpgradeRequest(context.request);
  if (!upgrade && policy.upgradeRequired === true)
    throw statusErrors.badRequest('Upgrade request required');
  if (!upgrade && redirectToRoot(context, target)) return;
  const headers = {
    ...forwardedRequestHeaders(context.request),
    host: formatAddress(target.address),
    ...(upgrade ? {} : forwardedFrom(target)),
    ...policy.headers,
  };
  const answer = await callBehind(context, target, { method: context.request.method, headers });
  // The deadline may have passed meanwhile, and its answer is out.
  if (context.response.headersSent) return void answer.message.destroy();
  if (answer.upgraded !== undefined) {
    const { socket, head } = answer.upgraded;
    return spliceConnections(context.request, { message: answer.message, socket, head });
  }
  if (upgrade) refuseSuccess(answer);
  if (policy.refuseRedirects && isRedirect(answer)) return refuseRedirect(context, answer);
  await passOn(context, target, answer);
}

/** Hands on why the server behind did not change the protocol. */
export async function passRefusal(
  context: RequestContext,
  target: ProxyTarget,
  answer: OutboundAnswer,
): Promise<void> {
  refuseSuccess(answer);
  await passOn(context, target, answer);
}

function refuseSuccess({ message }: OutboundAnswer): void {
  const { statusCode = 502 } = message;
  if (statusCode >= 400) return;
  message.destroy();
  throw statusErrors.generic(500, '', `invalid upgrade response: status code ${statusCode}`);
}

/** A decoded path as it may stand in a URL. */
export function escapePath(path: string): string {
  return encodeURI(path).replaceAll(/[?#]/g, encodeURIComponent);
}
/** The query of a URL with its question mark, or nothing. */
export function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark);
}

/** Sends the request of the client; rejects with a StatusError when nobody is reached (503). */
export async function callBehind(
  context: RequestContext,
  target: ProxyTarget,
  { method, headers }: { readonly method: string; readonly headers: Headers },
): Promise<OutboundAnswer> {
  const { request } = context;
  const deadline = new AbortController();
  context.onDeadline = () => deadline.abort();
  const outbound: OutboundRequest = {
    protocol: target.protocol,
    address: target.address,
    method,
    path: `${target.path}${target.query}`,
    headers,
    signal: AbortSignal.any([context.signal, deadline.signal]),
  };
  const body = request.bodyStream?.();
  try {
    if (body !== undefined)
      return await target.client.call(outbound, (outgoing) => void body.pipe(outgoing));
    if (request.bodyStream !== undefined || !mayHaveBody.has(request.method))
      return await target.client.call(outbound);
    const whole = await request.body(Number.MAX_SAFE_INTEGER);
    return await target.client.call(outbound, (outgoing) => outgoing.end(whole));
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw statusErrors.serviceUnavailable(`error trying to reach service: ${error.message}`);
  }
}

const mayHaveBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** COMPAT: relative links of a page work only below a path that ends in a slash. */
function redirectToRoot(context: RequestContext, target: ProxyTarget): boolean {
  const { method, url } = context.request;
  if (target.path !== '' || (method !== 'GET' && method !== 'HEAD')) return false;
  const [path = '', ...query] = url.split('?');
  context.response.status = 301;
  context.response.setHeader('location', [`${path}/`, ...query].join('?'));
  context.response.end();
  return true;
}

/** What the client asked for, for servers that make links. */
function forwardedFrom(target: ProxyTarget): Headers {
  return { 'x-forwarded-uri': `${target.prefix}${target.path}` };
}

function isRedirect({ message }: OutboundAnswer): boolean {
  const { statusCode = 0, headers } = message;
  return statusCode >= 300 && statusCode <= 399 && (headers.location ?? '') !== '';
}

// SECURITY: a server that may redirect a proxy makes it fetch from wherever it likes, as itself.
function refuseRedirect({ response }: RequestContext, { message }: OutboundAnswer): void {
  message.destroy();
  const text = 'the backend attempted to redirect this request, which is not permitted';
  response.status = 502;
  response.setHeader('content-length', String(Buffer.byteLength(text)));
  response.end(text);
}

async function passOn(
  context: RequestContext,
  target: ProxyTarget,
  { message }: OutboundAnswer,
): Promise<void> {
  const { request, response } = context;
  const headers = forwardedResponseHeaders(message.rawHeaders);
  const location = headers['location'];
  if (typeof location === 'string')
    headers['location'] = rewrittenLocation(location, {
      prefix: target.prefix,
      behind: formatAddress(target.address),
      host: String(request.headers['host'] ?? ''),
    });
  response.status = message.statusCode ?? 502;
  // The audit id of the answer is ours.
  delete headers['audit-id'];
  response.setHeader('cache-control', headers['cache-control'] ?? 'no-cache, private');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.write('');
  try {
    for await (const chunk of message as AsyncIterable<Uint8Array>) {
      if (context.signal.aborted) break;
      if (!response.write(chunk)) await response.drained();
    }
  } catch {
    // The headers are out: cutting the connection is all that tells the client.
    return response.abort();
  }
  response.end();
}
