// Metrics of admission webhooks: how long they took, how often they refused, could not be asked, or
// were passed over.

import type { Clock } from '@keelson/apimachinery';
import type { Metrics } from '../../metrics.ts';
import type { AdmissionAttributes } from '../admission.ts';

export type WebhookPhase = 'admit' | 'validating';
export type WebhookOutcome =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'denied'; readonly code: number }
  /** `isIgnored`: the failure policy lets the request pass; `isCanceled`: the client has left. */
  | {
      readonly kind: 'failed';
      readonly code: number;
      readonly isIgnored: boolean;
      readonly isCanceled: boolean;
    }
  /** The server could not ask, or could make nothing of the answer; no failure policy covers it. */
  | { readonly kind: 'internal-error' };

export interface WebhookMetrics {
  /** To be called when a webhook is asked; the function when the outcome is known. */
  start(
    name: string,
    phase: WebhookPhase,
    attributes: AdmissionAttributes,
  ): (outcome: WebhookOutcome) => void;
}

const durationBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];
const codeMax = 600;

export function createWebhookMetrics(metrics: Metrics, clock: Clock): WebhookMetrics {
  const duration = metrics.histogram(
    'apiserver_admission_webhook_admission_duration_seconds',
    'Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
    durationBuckets,
  );
  const rejections = metrics.counter(
    'apiserver_admission_webhook_rejection_count',
    'Admission webhook rejection count, identified by name and broken out for each admission type (validating or admit) and operation. Additional labels specify an error type (calling_webhook_error or apiserver_internal_error if an error occurred; no_error otherwise) and optionally a non-zero rejection code if the webhook rejects the request with an HTTP status code (honored by the apiserver when the code is greater or equal to 400). Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.',
  );
  const failOpen = metrics.counter(
    'apiserver_admission_webhook_fail_open_count',
    'Admission webhook fail open count, identified by name and broken out for each admission type (validating or mutating).',
  );
  const requests = metrics.counter(
    'apiserver_admission_webhook_request_total',
    'Admission webhook request total, identified by name and broken out for each admission type (validating or mutating) and operation. Additional labels specify whether the request was rejected or not and an HTTP status code. Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.',
  );
  return {
    start(name, type, { operation }) {
      const startMs = clock.monotonic();
      return (outcome) => {
        const isIgnored = outcome.kind === 'failed' && outcome.isIgnored;
        const isRejected = outcome.kind !== 'allowed' && !isIgnored;
        const rejected = String(isRejected);
        const code = codeOf(outcome);
        const seconds = (clock.monotonic() - startMs) / 1000;
        duration.observe({ name, operation, rejected, type }, seconds);
        requests.add({ code, name, operation, rejected, type });
        if (isIgnored) failOpen.add({ name, type });
        if (!isRejected || (outcome.kind === 'failed' && outcome.isCanceled)) return;
        const error_type = errorTypes[outcome.kind];
        rejections.add({ error_type, name, operation, rejection_code: code, type });
      };
    },
  };
}

const errorTypes = {
  denied: 'no_error',
  failed: 'calling_webhook_error',
  'internal-error': 'apiserver_internal_error',
} as const;

function codeOf(outcome: WebhookOutcome): string {
  if (outcome.kind === 'allowed') return '200';
  return outcome.kind === 'internal-error' ? '0' : String(Math.min(outcome.code, codeMax));
}
