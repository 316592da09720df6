// Metrics of authorization webhooks, by the name that the configuration gives them: calls, their
// time, failures that let the next authorizer decide, and match conditions.

import type { Clock } from '@keelson/apimachinery';
import type { Metrics } from '../../metrics.ts';

export type CallResult = 'success' | 'error' | 'timeout' | 'canceled';

export interface WebhookMetrics {
  /** To be called when a webhook is called; the function with how that ended. */
  startCall(name: string): (result: CallResult) => void;
  /** A failure that the failure policy turned into no opinion. */
  failedOpen(name: string, result: CallResult): void;
  conditionsEvaluated(name: string, seconds: number): void;
  conditionExcluded(name: string): void;
  conditionFailed(name: string): void;
}

const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const conditionBuckets = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25];
const type = 'Webhook';

export function createWebhookMetrics(metrics: Metrics, clock: Clock): WebhookMetrics {
  const evaluations = metrics.counter(
    'apiserver_authorization_webhook_evaluations_total',
    'Round-trips to authorization webhooks.',
  );
  const duration = metrics.histogram(
    'apiserver_authorization_webhook_duration_seconds',
    'Request latency in seconds.',
    callBuckets,
  );
  const failOpen = metrics.counter(
    'apiserver_authorization_webhook_evaluations_fail_open_total',
    'NoOpinion results due to webhook timeout or error.',
  );
  const conditionTime = metrics.histogram(
    'apiserver_authorization_match_condition_evaluation_seconds',
    'Authorization match condition evaluation time in seconds, broken out by authorizer type and name.',
    conditionBuckets,
  );
  const exclusions = metrics.counter(
    'apiserver_authorization_match_condition_exclusions_total',
    'Total number of exclusions when an authorization webhook is skipped because match conditions exclude it.',
  );
  const failures = metrics.counter(
    'apiserver_authorization_match_condition_evaluation_errors_total',
    'Total number of errors when an authorization webhook encounters a match condition error broken out by authorizer type and name.',
  );
  return {
    startCall(name) {
      const startedMs = clock.monotonic();
      return (result) => {
        evaluations.add({ name, result });
        duration.observe({ name, result }, (clock.monotonic() - startedMs) / 1000);
      };
    },
    failedOpen: (name, result) => failOpen.add({ name, result }),
    conditionsEvaluated: (name, seconds) => conditionTime.observe({ type, name }, seconds),
    conditionExcluded: (name) => exclusions.add({ type, name }),
    conditionFailed: (name) => failures.add({ type, name }),
  };
}
