// Remembers what a slow authenticator said about a token, for each set of audiences apart.
// Whoever asks while the answer is under way waits for it, so a storm of requests makes one call.
// Failures to decide are not remembered.
//
// SECURITY: the key is an HMAC with a key of this process; the table holds no token, and nobody can
// choose tokens that meet in it. Entries are bounded in number and time.

import { createHmac, randomBytes } from 'node:crypto';
import { noDecisionTrace, type Clock } from '@keelson/apimachinery';
import type { Metrics } from '../metrics.ts';
import type { AuthenticationResult, TokenAuthenticator } from './authenticator.ts';
import { recordAuthentication } from './union.ts';

export interface TokenCacheOptions {
  readonly clock: Clock;
  readonly metrics: TokenCacheMetrics;
  /** How long an authenticated user is remembered; 0: not at all. */
  readonly successTtlMs: number;
  /** The same for "not mine". Refusals with a reason are never remembered. */
  readonly failureTtlMs: number;
}

// A few per node and controller; each entry is a user with its groups.
const entriesMax = 8192;

export function withTokenCache(
  delegate: TokenAuthenticator,
  options: TokenCacheOptions,
): TokenAuthenticator {
  const { clock, metrics } = options;
  const keyOf = createCacheKey();
  const entries = new Map<string, { result: AuthenticationResult; untilMs: number }>();
  const underWay = new Map<string, Promise<AuthenticationResult>>();

  const keep = (key: string, result: AuthenticationResult): void => {
    const ttlMs = ttlOf(result, options);
    if (ttlMs <= 0) return;
    if (entries.size >= entriesMax) entries.delete(entries.keys().next().value ?? '');
    entries.set(key, { result, untilMs: clock.monotonic() + ttlMs });
  };
  const fetch = (key: string, token: string, audiences: readonly string[]) => {
    const known = underWay.get(key);
    if (known !== undefined) return metrics.blocked(known);
    const started = metrics
      .fetched(delegate.authenticateToken(token, audiences, noDecisionTrace))
      .then((result) => {
        keep(key, result);
        return result;
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  };
  return {
    name: delegate.name,
    async authenticateToken(token, audiences, trace) {
      const startMs = clock.monotonic();
      const key = keyOf(token, audiences);
      const known = entries.get(key);
      const isHit = known !== undefined && startMs < known.untilMs;
      if (!isHit) entries.delete(key);
      const result = isHit ? known.result : await fetch(key, token, audiences);
      metrics.asked(isHit ? 'hit' : 'miss', (clock.monotonic() - startMs) / 1000);
      if (trace.enabled) recordAuthentication(trace, delegate.name, result);
      return result;
    },
  };
}

function ttlOf(result: AuthenticationResult, options: TokenCacheOptions): number {
  if (result.outcome === 'authenticated') return options.successTtlMs;
  return result.outcome === 'rejected' ? 0 : options.failureTtlMs;
}

/** Lengths stand before the parts, so that no two questions have the same text. */
function createCacheKey(): (token: string, audiences: readonly string[]) => string {
  const secret = randomBytes(32);
  return (token, audiences) => {
    const hmac = createHmac('sha256', secret);
    const part = (text: string) => {
      const bytes = Buffer.from(text);
      hmac.update(length(bytes.byteLength)).update(bytes);
    };
    part(token);
    hmac.update(length(audiences.length));
    audiences.forEach(part);
    return hmac.digest('base64');
  };
}

function length(count: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(count);
  return bytes;
}

export interface TokenCacheMetrics {
  asked(status: 'hit' | 'miss', seconds: number): void;
  /** Counts a call that is under way, and how it ends. */
  fetched<T>(call: Promise<T>): Promise<T>;
  /** Counts who waits for the call of another. */
  blocked<T>(call: Promise<T>): Promise<T>;
}

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createTokenCacheMetrics(metrics: Metrics): TokenCacheMetrics {
  const requests = metrics.counter('authentication_token_cache_request_total', '');
  const durations = metrics.histogram(
    'authentication_token_cache_request_duration_seconds',
    '',
    buckets,
  );
  const fetches = metrics.counter('authentication_token_cache_fetch_total', '');
  const active = { blocked: 0, in_flight: 0 };
  metrics
    .gauge('authentication_token_cache_active_fetch_count', '')
    .collect(() => Object.entries(active).map(([status, count]) => [{ status }, count] as const));
  const counting = async <T>(status: keyof typeof active, call: Promise<T>): Promise<T> => {
    active[status]++;
    try {
      return await call;
    } finally {
      active[status]--;
    }
  };
  return {
    asked(status, seconds) {
      requests.add({ status });
      durations.observe({ status }, seconds);
    },
    async fetched(call) {
      try {
        const result = await counting('in_flight', call);
        fetches.add({ status: 'ok' });
        return result;
      } catch (error) {
        fetches.add({ status: 'error' });
        throw error;
      }
    },
    blocked: (call) => counting('blocked', call),
  };
}
