// What is measured of reloads of the authentication configuration. COMPAT: names, labels and help
// are kube-apiserver's; the hash of the configuration in force is shown since 1.34.

import type { Clock } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { Metrics } from '../../metrics.ts';
import { sha256Label } from './jwt-metrics.ts';

export interface ReloadMetrics {
  reloaded(status: 'success' | 'failure'): void;
  /** The configuration that is in force from now on. */
  applied(source: Uint8Array): void;
}

const prefix = 'apiserver_authentication_config_controller_';

export function createReloadMetrics(options: {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly features: Features;
  readonly serverIdHash: string;
}): ReloadMetrics {
  const { metrics, clock, features, serverIdHash } = options;
  const server = { apiserver_id_hash: serverIdHash };
  const reloads = metrics.counter(
    `${prefix}automatic_reloads_total`,
    'Total number of automatic reloads of authentication configuration split by status and apiserver identity.',
  );
  const lastSeconds = new Map<string, number>();
  metrics
    .gauge(
      `${prefix}automatic_reload_last_timestamp_seconds`,
      'Timestamp of the last automatic reload of authentication configuration split by status and apiserver identity.',
    )
    .collect(() => [...lastSeconds].map(([status, at]) => [{ ...server, status }, at] as const));
  let hash: string | undefined;
  if (features.emulated.minor >= 34)
    metrics
      .gauge(
        `${prefix}last_config_info`,
        'Information about the last applied authentication configuration with hash as label, split by apiserver identity.',
      )
      .collect(() => (hash === undefined ? [] : [[{ ...server, hash }, 1]]));
  return {
    reloaded(status) {
      reloads.add({ ...server, status });
      lastSeconds.set(status, clock.now() / 1000);
    },
    applied: (source) => void (hash = sha256Label(source)),
  };
}
