// Lets through what the authorizer allows; no opinion is a refusal, and so is an authorizer that
// throws. The body of the request has not been read when this runs.

import { quoteGo, type Clock } from '@keelson/apimachinery';
import { attributesOf } from '../authorization/attributes.ts';
import type { AuthorizationResult, Authorizer } from '../authorization/authorizer.ts';
import { escapeHtml, forbiddenByAuthorizer } from '../authorization/forbidden.ts';
import { respondText } from '../endpoints/respond.ts';
import type { Features } from '../features/features.ts';
import type { Metrics } from '../metrics.ts';
import type { RequestContext } from '../request-context.ts';
import type { Filter } from '../request-pipeline.ts';

const decisionKey = 'authorization.k8s.io/decision';
const reasonKey = 'authorization.k8s.io/reason';

export interface AuthorizationFilterOptions {
  readonly features: Features;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

export function createAuthorizationFilter(
  authorizer: Authorizer,
  { features, metrics, clock }: AuthorizationFilterOptions,
): Filter {
  const hasSelectors = features.enabled('AuthorizeWithSelectors');
  const observe = createAttemptMetrics(metrics, clock);
  return {
    name: 'authorization',
    async handle(context, next) {
      const attributes = attributesOf(context, hasSelectors);
      const finish = observe();
      let result: AuthorizationResult;
      try {
        result = await authorizer.authorize(context.user, attributes, context.trace);
      } catch (error) {
        finish('error');
        context.trace.record({
          stage: 'authorization',
          by: authorizer.name,
          outcome: 'error',
          reason: 'the authorizer failed',
        });
        throw new Error('authorizer failed', { cause: error });
      }
      finish(resultLabel(result));
      const { decision, reason, evaluationError } = result;
      if (decision !== 'allow' && evaluationError !== undefined)
        return respondUndecided(context, evaluationError);
      context.annotate(decisionKey, decision === 'allow' ? 'allow' : 'forbid');
      if (reason !== '') context.annotate(reasonKey, reason);
      if (decision === 'allow') return next();
      throw forbiddenByAuthorizer(context.user, attributes, reason);
    },
  };
}

/**
 * An authorizer that could not decide has not refused; the caller may try again. COMPAT: plain
 * text, not a Status.
 */
function respondUndecided(context: RequestContext, error: string): void {
  context.annotate(reasonKey, 'internal error');
  const text = `Internal Server Error: ${quoteGo(context.request.url)}: ${error}`;
  respondText(context, `${escapeHtml(text)}\n`, 500);
}

type ResultLabel = 'allowed' | 'denied' | 'no-opinion' | 'error';

function resultLabel({ decision, evaluationError }: AuthorizationResult): ResultLabel {
  if (decision === 'allow') return 'allowed';
  if (evaluationError !== undefined) return 'error';
  return decision === 'deny' ? 'denied' : 'no-opinion';
}

/** From a millisecond to sixteen seconds, doubling, as kube-apiserver. */
const durationBuckets = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

function createAttemptMetrics(metrics: Metrics, clock: Clock) {
  const attempts = metrics.counter(
    'authorization_attempts_total',
    "Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied', 'no-opinion' or 'error'.",
  );
  const duration = metrics.histogram(
    'authorization_duration_seconds',
    'Authorization duration in seconds broken out by result.',
    durationBuckets,
  );
  return () => {
    const startedMs = clock.monotonic();
    return (result: ResultLabel) => {
      attempts.add({ result });
      duration.observe({ result }, (clock.monotonic() - startedMs) / 1000);
    };
  };
}
