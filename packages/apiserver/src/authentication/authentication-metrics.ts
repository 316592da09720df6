// What is measured of authentication. COMPAT: names, labels and help are kube-apiserver's; names of
// users are compressed to a handful, so that they neither leak nor multiply.

import type { Clock } from '@keelson/apimachinery';
import type { HistogramValue, Metrics, Sample } from '../metrics.ts';
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
  const users = new Map<string, number>();
  const times = new Map<string, Times>();
  const count = (read: (t: Times) => Sample[1]) => () =>
    [...times].map(([result, t]): Sample => [{ result }, read(t)]);
  metrics.collect({
    name: 'authenticated_user_requests',
    help: 'Counter of authenticated requests broken out by username.',
    type: 'counter',
    read: () => [...users].map(([username, total]): Sample => [{ username }, total]),
  });
  metrics.collect({
    name: 'authentication_attempts',
    help: 'Counter of authenticated attempts.',
    type: 'counter',
    read: count((t) => t.count),
  });
  metrics.collect({
    name: 'authentication_duration_seconds',
    help: 'Authentication duration in seconds broken out by result.',
    type: 'histogram',
    read: count(toHistogram),
  });
  return {
    async measured(authenticate) {
      const startMs = clock.monotonic();
      const result = await authenticate();
      if (result.outcome === 'authenticated') {
        const name = compressedName(result.user.name);
        users.set(name, (users.get(name) ?? 0) + 1);
      }
      const label = resultLabels[result.outcome];
      let t = times.get(label);
      if (t === undefined) times.set(label, (t = { count: 0, sum: 0, perBucket: noTimes() }));
      addTime(t, (clock.monotonic() - startMs) / 1000);
      return result;
    },
  };
}

// Every request is measured, so numbers are kept as numbers and put into words when they are read.
interface Times {
  count: number;
  sum: number;
  /** Observations by the first bucket that holds them. */
  readonly perBucket: number[];
}

const noTimes = () => durationBuckets.map(() => 0);

function addTime(times: Times, elapsed: number): void {
  times.count++;
  times.sum += elapsed;
  const index = durationBuckets.findIndex((bound) => elapsed <= bound);
  if (index >= 0) times.perBucket[index] = (times.perBucket[index] ?? 0) + 1;
}

function toHistogram({ count, sum, perBucket }: Times): HistogramValue {
  let below = 0;
  const buckets = durationBuckets.map((bound, i) => [bound, (below += perBucket[i] ?? 0)] as const);
  return { buckets, sum, count };
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

const resultLabels: Readonly<Record<AuthenticationResult['outcome'], string>> = {
  authenticated: 'success',
  rejected: 'error',
  'no-credential': 'failure',
};

function compressedName(name: string): string {
  if (knownNames.has(name)) return name;
  return name.includes('@') ? 'email_id' : 'other';
}
