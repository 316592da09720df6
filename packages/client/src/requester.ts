// One request of the API with what every client does around it: headers, impersonation, warnings,
// a time limit, and further tries. A request is tried again when the server says when to come back
// (429 or 5xx with `Retry-After`: it did nothing), when there was no connection to begin with, and,
// if it only reads, when the connection broke.

import { sleep, statusErrors, type Clock } from '@keelson/apimachinery';
import { toStatusError } from './json-body.ts';
import type { ClientLimits } from './limits.ts';
import { linkAbort } from './linked-abort.ts';
import {
  TransportError,
  type RequestHeaders,
  type Transport,
  type TransportResponse,
} from './transport.ts';

export interface ApiCall {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly query?: readonly (readonly [name: string, value: string])[];
  readonly headers?: RequestHeaders;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
}

export interface Requester {
  /**
   * The whole body of a successful answer. Throws StatusError, TransportError, or the signal's
   * reason.
   */
  send(call: ApiCall): Promise<Uint8Array>;
  /** The same with the body left unread. */
  open(call: ApiCall): Promise<TransportResponse>;
}

/** Who to act as; needs the right to impersonate. */
export interface Impersonation {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface RequesterOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly limits: ClientLimits;
  readonly userAgent: string;
  readonly impersonate?: Impersonation;
  /** Called with each text of a `Warning` header. */
  readonly onWarning?: (text: string) => void;
}

/** Waits before another try where the server did not say for how long. */
const reconnectDelayMs = 100;
/** A server that is not there is not waited for: callers that can wait decide that themselves. */
const connectTriesMax = 3;

export function createRequester(options: RequesterOptions): Requester {
  const { transport, clock, limits } = options;
  const base = {
    accept: 'application/json',
    'user-agent': options.userAgent,
    ...impersonationHeaders(options.impersonate),
  };

  const attempt = async (call: ApiCall): Promise<TransportResponse> => {
    const headers = { ...base, ...call.headers };
    const { method, body, signal } = call;
    const response = await transport.request({
      method,
      url: urlOf(call),
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
    reportWarnings(response, options.onWarning);
    return response;
  };

  const open = async (call: ApiCall): Promise<TransportResponse> => {
    for (let tries = 1; ; tries++) {
      let delayMs: number | undefined;
      try {
        const response = await attempt(call);
        if (response.status < 300) return response;
        const body = await response.bytes(limits.responseBytesMax);
        delayMs = tries < limits.triesMax ? retryAfterMs(response, limits) : undefined;
        if (delayMs === undefined) throw toStatusError(response, body);
      } catch (error) {
        if (!mayReconnect(error, call) || tries >= connectTriesMax) throw error;
        delayMs = reconnectDelayMs * tries;
      }
      await sleep(clock, delayMs, call.signal);
    }
  };

  return {
    open,
    async send(call) {
      const abort = linkAbort(call.signal);
      const { requestTimeoutMs } = limits;
      const cancelTimer =
        requestTimeoutMs > 0
          ? clock.after(requestTimeoutMs, () => abort.abort(timedOut(requestTimeoutMs)))
          : () => {};
      try {
        const response = await open({ ...call, signal: abort.signal });
        return await response.bytes(limits.responseBytesMax);
      } finally {
        cancelTimer();
        abort.release();
      }
    },
  };
}

function urlOf({ path, query = [] }: ApiCall): string {
  if (query.length === 0) return path;
  const pairs = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${path}?${pairs.join('&')}`;
}

function impersonationHeaders(who: Impersonation | undefined): RequestHeaders {
  if (who === undefined) return {};
  const headers: Record<string, string | string[]> = { 'impersonate-user': who.user };
  if (who.uid !== undefined) headers['impersonate-uid'] = who.uid;
  if (who.groups !== undefined && who.groups.length > 0)
    headers['impersonate-group'] = [...who.groups];
  for (const [key, values] of Object.entries(who.extra ?? {}))
    headers[`impersonate-extra-${encodeURIComponent(key).toLowerCase()}`] = [...values];
  return headers;
}

/** `299 - "text", 299 - "more"`. */
const warningPattern = /\b299 \S+ "((?:[^"\\]|\\.)*)"/g;

function reportWarnings(
  response: TransportResponse,
  onWarning: ((text: string) => void) | undefined,
): void {
  if (onWarning === undefined) return;
  for (const [, text = ''] of (response.header('warning') ?? '').matchAll(warningPattern))
    onWarning(text.replaceAll(/\\(.)/g, '$1'));
}

function retryAfterMs(response: TransportResponse, limits: ClientLimits): number | undefined {
  if (response.status !== 429 && response.status < 500) return undefined;
  const text = response.header('retry-after');
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined;
  return Math.min(Number(text) * 1000, limits.retryAfterMaxMs);
}

function mayReconnect(error: unknown, call: ApiCall): boolean {
  if (!(error instanceof TransportError)) return false;
  return error.code === 'unreachable' || (error.code === 'broken' && call.method === 'GET');
}

function timedOut(ms: number): Error {
  return statusErrors.timeout(`the server did not answer within ${ms} ms`);
}
