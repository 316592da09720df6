// How conversions go, under the names that kube-apiserver's metrics have.

import type { Metrics } from '../../../metrics.ts';
import type { ConversionFailure } from './conversion-review.ts';

export interface ConversionMetrics {
  /** One call of a webhook; without `failure` it went well. */
  called(seconds: number, failure: ConversionFailure | undefined): void;
  /** One conversion of objects of a definition between two versions. */
  converted(conversion: ObservedConversion): void;
}

export interface ObservedConversion {
  readonly definition: string;
  readonly from: string;
  readonly to: string;
  readonly succeeded: boolean;
  readonly seconds: number;
}

const callBuckets = [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const conversionBuckets = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

export function createConversionMetrics(metrics: Metrics): ConversionMetrics {
  const calls = metrics.counter(
    'apiserver_conversion_webhook_request_total',
    'Counter for conversion webhook requests with success/failure and failure error type',
  );
  const durations = metrics.histogram(
    'apiserver_conversion_webhook_duration_seconds',
    'Conversion webhook request latency',
    callBuckets,
  );
  const conversions = metrics.histogram(
    'apiserver_crd_conversion_webhook_duration_seconds',
    'CRD webhook conversion duration in seconds',
    conversionBuckets,
  );
  return {
    called(seconds, failure) {
      const result = failure === undefined ? 'success' : 'failure';
      const labels = { failure_type: failure ?? '', result };
      calls.add(labels);
      durations.observe(labels, seconds);
    },
    converted({ definition, from, to, succeeded, seconds }) {
      const labels = {
        crd_name: definition,
        from_version: from,
        succeeded: String(succeeded),
        to_version: to,
      };
      conversions.observe(labels, seconds);
    },
  };
}
