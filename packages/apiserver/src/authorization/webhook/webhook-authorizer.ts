// Asks somebody else: a webhook gets a SubjectAccessReview and answers allowed, denied or neither
// (https://kubernetes.io/docs/reference/access-authn-authz/webhook/).
//
//   a match condition is false        the webhook is not asked; no opinion
//   a match condition fails           the failure policy: no opinion or deny, with the error
//   a kept answer                     is used as long as it is valid
//   the webhook cannot be asked       the failure policy
//   allowed and denied                deny, with an error
//
// SECURITY: a deny with an error ends the chain; the request is answered 500, never passed on.

import type { Clock, DecisionTrace, Random } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type {
  AuthorizationResult,
  Authorizer,
  RequestAttributes,
  RuleResolver,
} from '../authorizer.ts';
import type { WebhookConfiguration } from '../configuration/authorization-configuration.ts';
import { reviewSpec, type ReviewStatus } from './access-review.ts';
import { createDecisionCache } from './decision-cache.ts';
import { judgeConditions, type ConditionOutcome } from './match-conditions.ts';
import { callReview, isFailure, type ReviewEndpoint } from './review-call.ts';
import type { WebhookMetrics } from './webhook-metrics.ts';

export interface WebhookAuthorizerOptions {
  readonly name: string;
  readonly configuration: WebhookConfiguration;
  readonly endpoint: ReviewEndpoint;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: WebhookMetrics;
}

/** Characters of a request beyond which its answer is not kept: callers choose most of them. */
const cachedRequestMax = 10_000;

/** What the decision trace says about one question. */
interface Asked {
  readonly conditions: readonly ConditionOutcome[];
  readonly cache?: 'hit' | 'miss' | 'off';
  readonly attempts?: number;
  readonly failed?: string;
}
interface Answer {
  readonly result: AuthorizationResult;
  readonly asked: Asked;
}

export function createWebhookAuthorizer(
  options: WebhookAuthorizerOptions,
): Authorizer & RuleResolver {
  const { name } = options;
  const decide = createDecider(options);
  return {
    name,
    authorize(user, attributes, trace) {
      const answer = decide(user, attributes);
      if (!(answer instanceof Promise)) return recorded(name, answer, trace);
      return answer.then((settled) => recorded(name, settled, trace));
    },
    rulesFor: async () => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: true,
      evaluationError: 'webhook authorizer does not support user rule resolution',
    }),
  };
}

function createDecider(options: WebhookAuthorizerOptions) {
  const { name, configuration, clock, metrics } = options;
  const { subjectAccessReviewVersion: version, timeoutMs, matchConditions } = configuration;
  const cache = createDecisionCache(clock);
  const failed = (error: string): AuthorizationResult => ({
    decision: configuration.failurePolicy === 'Deny' ? 'deny' : 'no-opinion',
    reason: '',
    evaluationError: error,
  });
  const ask = async (spec: string, isKept: boolean, asked: Asked): Promise<Answer> => {
    const { outcome, attempts } = await callReview(options, { name, spec, version, timeoutMs });
    if (isFailure(outcome)) {
      const result = failed(outcome.message);
      if (result.decision === 'no-opinion') metrics.failedOpen(name, outcome.result);
      return { result, asked: { ...asked, attempts, failed: outcome.message } };
    }
    const { authorizedTtlMs, unauthorizedTtlMs } = configuration;
    if (isKept) cache.set(spec, outcome, outcome.allowed ? authorizedTtlMs : unauthorizedTtlMs);
    return { result: resultOf(outcome), asked: { ...asked, attempts } };
  };
  return (user: UserInfo, attributes: RequestAttributes): Answer | Promise<Answer> => {
    const judged = judge(options, user, attributes);
    const { outcomes: conditions } = judged;
    if (judged.error !== undefined)
      return { result: failed(judged.error), asked: { conditions, failed: judged.error } };
    if (!judged.matches) return { result: noOpinion, asked: { conditions } };
    const spec = reviewSpec(user, attributes, version);
    const kept = cache.get(spec);
    if (kept !== undefined) return { result: resultOf(kept), asked: { conditions, cache: 'hit' } };
    const isKept = sizeOf(attributes) < cachedRequestMax;
    return ask(spec, isKept, { conditions, cache: isKept ? 'miss' : 'off' });
  };

  function judge(
    { metrics: counted }: WebhookAuthorizerOptions,
    user: UserInfo,
    attributes: RequestAttributes,
  ) {
    if (matchConditions.length === 0) return { matches: true, outcomes: [], error: undefined };
    const startedMs = clock.monotonic();
    const { matches, outcomes, error } = judgeConditions(matchConditions, user, attributes);
    counted.conditionsEvaluated(name, (clock.monotonic() - startedMs) / 1000);
    if (outcomes.some(({ result }) => result === 'error')) counted.conditionFailed(name);
    if (!matches && error === undefined) counted.conditionExcluded(name);
    return { matches, outcomes, error };
  }
}

const noOpinion: AuthorizationResult = { decision: 'no-opinion', reason: '' };

function resultOf({ allowed, denied, reason }: ReviewStatus): AuthorizationResult {
  if (allowed && denied)
    return {
      decision: 'deny',
      reason,
      evaluationError: 'webhook subject access review returned both allow and deny response',
    };
  if (denied) return { decision: 'deny', reason };
  return { decision: allowed ? 'allow' : 'no-opinion', reason };
}

function sizeOf(attributes: RequestAttributes): number {
  if (!attributes.isResource) return attributes.verb.length + attributes.path.length;
  const { verb, namespace, group, version, resource, subresource, name } = attributes;
  const selected = [attributes.fieldSelector, attributes.labelSelector].map((requirements) =>
    requirements === undefined ? 0 : JSON.stringify(requirements).length,
  );
  return [verb, namespace, group, version, resource, subresource, name]
    .map((text) => text.length)
    .concat(selected)
    .reduce((sum, length) => sum + length, 0);
}

function recorded(name: string, answer: Answer, trace: DecisionTrace): AuthorizationResult {
  const { result, asked } = answer;
  if (trace.enabled)
    trace.record({
      stage: 'authorization',
      by: `webhook ${name}`,
      outcome: result.decision,
      reason: result.evaluationError ?? result.reason,
      detail: { webhook: name, ...asked },
    });
  return result;
}
