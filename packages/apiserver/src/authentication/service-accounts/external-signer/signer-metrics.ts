// How the external signer does, under Kubernetes' names.

import type { Metrics } from '../../../metrics.ts';

export type SignerMethod = 'Sign' | 'FetchKeys' | 'Metadata';

export interface SignerMetrics {
  /** `code` is gRPC's, or `unknown-non-grpc`. */
  called(method: SignerMethod, code: string, seconds: number): void;
  /** Keys were taken over; both times in seconds since the epoch. */
  fetched(nowSeconds: number, dataTimestampSeconds: number): void;
}

const prefix = 'apiserver_externaljwt';
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createSignerMetrics(metrics: Metrics): SignerMetrics {
  const durations = metrics.histogram(
    `${prefix}_request_duration_seconds`,
    'Request duration and time for calls to external-jwt-signer.',
    buckets,
  );
  const fetches = metrics.counter(
    `${prefix}_fetch_keys_request_total`,
    'Total attempts at syncing supported JWKs',
  );
  const signatures = metrics.counter(
    `${prefix}_sign_request_total`,
    'Total attempts at signing JWT',
  );
  let last: { readonly now: number; readonly data: number } | undefined;
  const gauge = (name: string, help: string, read: (times: NonNullable<typeof last>) => number) =>
    metrics
      .gauge(`${prefix}_${name}`, help)
      .collect(() => (last === undefined ? [] : [[{}, read(last)]]));
  gauge(
    'fetch_keys_success_timestamp',
    'Unix Timestamp in seconds of the last successful FetchKeys request',
    ({ now }) => now,
  );
  gauge(
    'fetch_keys_data_timestamp',
    'Unix Timestamp in seconds of the last successful FetchKeys data_timestamp value returned by the external signer',
    ({ data }) => data,
  );
  return {
    called(method, code, seconds) {
      durations.observe({ method, code }, seconds);
      if (method === 'FetchKeys') fetches.add({ code });
      if (method === 'Sign') signatures.add({ code });
    },
    fetched(now, data) {
      last = { now, data };
    },
  };
}
