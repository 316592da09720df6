// What JWT authenticators measure. Issuers appear as hashes, for their URLs may name customers.
// COMPAT: names, labels and help are kube-apiserver's; keys are measured since 1.35.

import { createHash } from 'node:crypto';
import type { Clock } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { Labels, Metrics } from '../../metrics.ts';

export interface JwtMetrics {
  decided(issuer: string, result: 'success' | 'failure', seconds: number): void;
  /** Without `keySetHash` the fetch failed. */
  keysFetched(issuer: string, keySetHash: string | undefined): void;
  /** The series of an issuer's keys end with its authenticator. */
  forgetIssuer(issuer: string): void;
}

const prefix = 'apiserver_authentication_jwt_authenticator_';
const latencyBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const sha256Label = (text: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

export interface JwtMetricsOptions {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly features: Features;
  /** `apiserver_id_hash`. */
  readonly serverIdHash: string;
}

export function createJwtMetrics(options: JwtMetricsOptions): JwtMetrics {
  const { metrics, clock, features, serverIdHash } = options;
  const latency = metrics.histogram(
    `${prefix}latency_seconds`,
    'Latency of jwt authentication operations in seconds. This is the time spent authenticating a token for cache miss only (i.e. when the token is not found in the cache).',
    latencyBuckets,
  );
  const fetches = new Map<string, { success?: number; failure?: number; hash?: string }>();
  const measuresKeys = features.enabled('StructuredAuthenticationConfigurationJWKSMetrics');
  if (measuresKeys) collectKeys(metrics, fetches, serverIdHash);
  return {
    decided(issuer, result, seconds) {
      latency.observe({ result, jwt_issuer_hash: sha256Label(issuer) }, seconds);
    },
    keysFetched(issuer, keySetHash) {
      if (!measuresKeys) return;
      const key = sha256Label(issuer);
      const known = fetches.get(key) ?? {};
      const seconds = clock.now() / 1000;
      fetches.set(
        key,
        keySetHash === undefined
          ? { ...known, failure: seconds }
          : { ...known, success: seconds, hash: keySetHash },
      );
    },
    forgetIssuer: (issuer) => void fetches.delete(sha256Label(issuer)),
  };
}

type Sample = readonly [Labels, number];

function collectKeys(
  metrics: Metrics,
  fetches: ReadonlyMap<string, { success?: number; failure?: number; hash?: string }>,
  serverIdHash: string,
): void {
  const labelsOf = (issuerHash: string) => ({
    apiserver_id_hash: serverIdHash,
    jwt_issuer_hash: issuerHash,
  });
  metrics
    .gauge(
      `${prefix}jwks_fetch_last_timestamp_seconds`,
      'Timestamp of the last successful or failed JWKS fetch split by result, api server identity and jwt issuer for the JWT authenticator.',
    )
    .collect(() =>
      [...fetches].flatMap(([issuerHash, { success, failure }]) =>
        Object.entries({ success, failure }).flatMap(([result, seconds]): Sample[] =>
          seconds === undefined ? [] : [[{ result, ...labelsOf(issuerHash) }, seconds]],
        ),
      ),
    );
  metrics
    .gauge(
      `${prefix}jwks_fetch_last_key_set_info`,
      'Information about the last JWKS fetched by the JWT authenticator with hash as label, split by api server identity and jwt issuer.',
    )
    .collect(() =>
      [...fetches].flatMap(([issuerHash, { hash }]): Sample[] =>
        hash === undefined ? [] : [[{ hash, ...labelsOf(issuerHash) }, 1]],
      ),
    );
}
