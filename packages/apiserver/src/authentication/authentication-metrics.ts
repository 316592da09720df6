// What is measured of authentication. COMPAT: names, labels and help are kube-apiserver's; names of
// users are compressed to a handful, so that they neither leak nor multiply.

import type { Clock } from '@keelson/apimachinery';
import type { Metrics } from '../metrics.ts';
import type { AuthenticationResult } from './authenticator.ts';

export interface AuthenticationMetrics {
  /** The result of one request, counted and timed. */
  measured(
    authenticate: () => Promise<AuthenticationResult> | AuthenticationResult,
  ): Promise<AuthenticationResult>;
}

const seconds = (hours: number) => hours * 3600;
const day = 24;
/** Upper bounds of `apiserver_client_certificate_expiration_seconds`. */
const expirationBuckets = [
  ...[0, 0.5, 1, 2, 6, 12, day, 2 * day, 4 * day, 7 * day].map(seconds),
  ...[30 * day, 91.3125 * day, 182.625 * day, 365.25 * day].map(seconds),
];
const durationBuckets = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);
const knownNames: ReadonlySet<string> = new Set([
  'admin',
  'client',
  'kube_proxy',
  'kubelet',
  'system:serviceaccount:kube-system:default',
]);

export function createAuthenticationMetrics(metrics: Metrics, clock: Clock): AuthenticationMetrics {
  const users = metrics.counter(
    'authenticated_user_requests',
    'Counter of authenticated requests broken out by username.',
  );
  const attempts = metrics.counter('authentication_attempts', 'Counter of authenticated attempts.');
  const durations = metrics.histogram(
    'authentication_duration_seconds',
    'Authentication duration in seconds broken out by result.',
    durationBuckets,
  );
  return {
    async measured(authenticate) {
      const startMs = clock.monotonic();
      const result = await authenticate();
      const label = resultLabel(result);
      if (result.outcome === 'authenticated')
        users.add({ username: compressedName(result.user.name) });
      attempts.add({ result: label });
      durations.observe({ result: label }, (clock.monotonic() - startMs) / 1000);
      return result;
    },
  };
}

/** Observes how long presented client certificates are still valid, in seconds. */
export function createExpirationObserver(metrics: Metrics): (seconds: number) => void {
  const histogram = metrics.histogram(
    'apiserver_client_certificate_expiration_seconds',
    'Distribution of the remaining lifetime on the certificate used to authenticate a request.',
    expirationBuckets,
  );
  return (remaining) => histogram.observe({}, remaining);
}

function resultLabel({ outcome }: AuthenticationResult): string {
  if (outcome === 'authenticated') return 'success';
  return outcome === 'rejected' ? 'error' : 'failure';
}

function compressedName(name: string): string {
  if (knownNames.has(name)) return name;
  return name.includes('@') ? 'email_id' : 'other';
}
