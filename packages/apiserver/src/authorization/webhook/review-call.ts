// One question to a webhook, tried again after a while as long as the failure is one that passes:
// a connection that broke, an internal error, a time-out of the webhook's own, too many requests.

import { sleep, type Clock, type Random } from '@keelson/apimachinery';
import type { SubjectAccessReviewVersion } from '../configuration/authorization-configuration.ts';
import { readReview, reviewBody, type ReviewStatus } from './access-review.ts';
import type { CallResult, WebhookMetrics } from './webhook-metrics.ts';

/** A call that brought no answer to look at. */
export interface CallFailure {
  /** In client-go's words. */
  readonly message: string;
  readonly result: Exclude<CallResult, 'success'>;
  readonly isRetriable: boolean;
}

/** Where a webhook is, and who the server is to it; made from a kubeconfig file. */
export interface ReviewEndpoint {
  /**
   * Posts JSON and answers the body of a 2xx answer. Everything else is a failure; it follows no
   * redirect and bounds the answer. Never rejects.
   */
  post(body: Uint8Array, timeoutMs: number): Promise<Uint8Array | CallFailure>;
  /** Closes idle connections. */
  close(): void;
}

export interface ReviewCallDependencies {
  readonly endpoint: ReviewEndpoint;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: WebhookMetrics;
}

export interface ReviewCall {
  readonly name: string;
  readonly spec: string;
  readonly version: SubjectAccessReviewVersion;
  readonly timeoutMs: number;
}

export interface ReviewOutcome {
  readonly outcome: ReviewStatus | CallFailure;
  readonly attempts: number;
}

/** Half a second, then half as long again each time, and up to a fifth more; as kube-apiserver. */
const retryBackoff = { firstMs: 500, factor: 1.5, jitter: 0.2, attemptsMax: 5 } as const;

export async function callReview(
  dependencies: ReviewCallDependencies,
  call: ReviewCall,
): Promise<ReviewOutcome> {
  const { clock, random } = dependencies;
  const body = Buffer.from(reviewBody(call.spec, call.version));
  let waitMs: number = retryBackoff.firstMs;
  for (let attempts = 1; ; attempts++) {
    const outcome = await callOnce(dependencies, call, body);
    const isLast = attempts === retryBackoff.attemptsMax;
    if (!isFailure(outcome) || !outcome.isRetriable || isLast) return { outcome, attempts };
    await sleep(clock, waitMs * (1 + random.float() * retryBackoff.jitter));
    waitMs *= retryBackoff.factor;
  }
}

export function isFailure(outcome: ReviewStatus | CallFailure): outcome is CallFailure {
  return 'isRetriable' in outcome;
}

async function callOnce(
  { endpoint, metrics }: ReviewCallDependencies,
  { name, version, timeoutMs }: ReviewCall,
  body: Uint8Array,
): Promise<ReviewStatus | CallFailure> {
  const finish = metrics.startCall(name);
  const answer = await endpoint.post(body, timeoutMs);
  const outcome = answer instanceof Uint8Array ? readAnswer(answer, version) : answer;
  finish(isFailure(outcome) ? outcome.result : 'success');
  return outcome;
}

function readAnswer(
  answer: Uint8Array,
  version: SubjectAccessReviewVersion,
): ReviewStatus | CallFailure {
  try {
    return readReview(answer, version);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { message, result: 'error', isRetriable: false };
  }
}
