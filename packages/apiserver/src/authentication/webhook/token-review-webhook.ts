// Asks another server whose token it is: `--authentication-token-webhook-config-file`. The
// question is a TokenReview with the token and the audiences that it must be meant for; the
// answer counts only for audiences that it shares with the question.
//
// A call that failed in passing is tried again; when the server cannot be asked at all the token is
// refused, never let through to whoever comes after.

import {
  DecodeError,
  decodeObject,
  quoteGo,
  readTypeMeta,
  sleep,
  typeForKind,
  type Clock,
  type Random,
} from '@keelson/apimachinery';
import type { TokenReview } from '@keelson/apimachinery/types/authentication.k8s.io.v1';
import type { Logger } from '../../logger.ts';
import { intersectAudiences } from '../audiences.ts';
import type { AuthenticationResult, TokenAuthenticator } from '../authenticator.ts';
import { recordAuthentication, rejected } from '../union.ts';

export interface WebhookAnswer {
  readonly status: number;
  /** Whether the answer names a time to try again. */
  readonly retryAfter: boolean;
  readonly body: Uint8Array;
}

/** A connection that broke, which may be tried again. */
export class BrokenConnection extends Error {}

/**
 * Posts JSON to the webhook. Rejects when there is no answer, with BrokenConnection as the case
 * may be.
 */
export type PostToWebhook = (body: Uint8Array, signal: AbortSignal) => Promise<WebhookAnswer>;

const tokenReviewVersions = ['v1', 'v1beta1'] as const;
export type TokenReviewVersion = (typeof tokenReviewVersions)[number];

export interface TokenReviewWebhookOptions {
  readonly post: PostToWebhook;
  readonly version: TokenReviewVersion;
  /** Whom tokens are meant for when the answer does not say. */
  readonly apiAudiences: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

// COMPAT: kube-apiserver's back-off, and its bound on one question.
const backoff = { initialMs: 500, factor: 1.5, jitter: 0.2, steps: 5 };
const timeoutMs = 30_000;
const retriedStatuses: ReadonlySet<number> = new Set([429, 500, 504]);

/** The text of an unknown version; undefined for a known one. */
export function tokenReviewVersionProblem(version: string): string | undefined {
  return tokenReviewVersions.some((known) => known === version)
    ? undefined
    : `unsupported authentication webhook version ${quoteGo(version)}, supported versions are "v1", "v1beta1"`;
}

export function createTokenReviewWebhook(options: TokenReviewWebhookOptions): TokenAuthenticator {
  const name = 'token-webhook';
  return {
    name,
    async authenticateToken(token, audiences, trace) {
      const result = await review(token, audiences, options);
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

async function review(
  token: string,
  audiences: readonly string[],
  options: TokenReviewWebhookOptions,
): Promise<AuthenticationResult> {
  try {
    const answer = await askWebhook(token, audiences, options);
    return toResult(answer, audiences, options.apiAudiences);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    options.logger.error('failed to make webhook authenticator request', { error: why });
    return { ...rejected(why), check: 'webhook-call' };
  }
}

async function askWebhook(
  token: string,
  audiences: readonly string[],
  options: TokenReviewWebhookOptions,
): Promise<TokenReview> {
  const { clock, version } = options;
  const apiVersion = `authentication.k8s.io/${version}`;
  const spec = { token, ...(audiences.length > 0 ? { audiences } : {}) };
  const question = { kind: 'TokenReview', apiVersion, metadata: {}, spec, status: { user: {} } };
  const body = new TextEncoder().encode(JSON.stringify(question));
  const deadline = new AbortController();
  const cancel = clock.after(timeoutMs, () =>
    deadline.abort(new Error('context deadline exceeded')),
  );
  try {
    return decodeAnswer(await postWithRetries(body, options, deadline.signal), apiVersion);
  } finally {
    cancel();
  }
}

async function postWithRetries(
  body: Uint8Array,
  { post, clock, random }: TokenReviewWebhookOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let waitMs = backoff.initialMs;
  for (let step = 1; ; step++) {
    const attempt = await post(body, signal).catch((error: unknown) => {
      if (error instanceof BrokenConnection) return error;
      throw signal.aborted ? signal.reason : error;
    });
    if (!(attempt instanceof Error) && attempt.status >= 200 && attempt.status < 300)
      return attempt.body;
    const failure =
      attempt instanceof Error
        ? attempt
        : new Error(`the webhook answered with status ${attempt.status}`);
    const isPassing =
      attempt instanceof Error || attempt.retryAfter || retriedStatuses.has(attempt.status);
    if (!isPassing || step >= backoff.steps) throw failure;
    await sleep(clock, waitMs * (1 + random.float() * backoff.jitter), signal);
    waitMs *= backoff.factor;
  }
}

function decodeAnswer(body: Uint8Array, apiVersion: string): TokenReview {
  const type = typeForKind({ group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview' });
  if (type === undefined) throw new Error('TokenReview is no kind of this server');
  try {
    const meta = readTypeMeta(body);
    if (meta.kind !== 'TokenReview' || meta.apiVersion !== apiVersion)
      throw new Error(`the webhook answered with a ${meta.kind} of ${meta.apiVersion}`);
    return decodeObject(body, type).object as unknown as TokenReview;
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new Error(`the webhook's answer cannot be read: ${cause.message}`, { cause });
  }
}

function toResult(
  { status }: TokenReview,
  wanted: readonly string[],
  apiAudiences: readonly string[],
): AuthenticationResult {
  const answered = status?.audiences ?? [];
  const shared = intersectAudiences(wanted, answered.length > 0 ? answered : apiAudiences);
  if (wanted.length > 0 && shared.length === 0)
    return { outcome: 'no-credential', reason: 'the webhook answered for other audiences' };
  if (status?.authenticated !== true) {
    if (status?.error) return { ...rejected(status.error), check: 'webhook-answer' };
    return { outcome: 'no-credential', reason: 'the webhook does not know the token' };
  }
  const { username = '', uid = '', groups = [], extra = {} } = status.user ?? {};
  // SECURITY: an answer that forgets the name must not make a user without one.
  if (username === '') return { ...rejected('the webhook named no user'), check: 'webhook-answer' };
  return {
    outcome: 'authenticated',
    user: { name: username, uid, groups, extra },
    ...(wanted.length > 0 ? { audiences: shared } : {}),
  };
}
