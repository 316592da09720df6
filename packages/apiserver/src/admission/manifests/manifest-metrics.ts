// Metrics of static manifests: which set is in force, and how often and when it was read again. Names
// and labels are kube-apiserver's.

import type { Clock } from '@keelson/apimachinery';
import type { Labels, Metrics } from '../../metrics.ts';
import { manifestHash } from './manifest-hash.ts';

export type ReloadStatus = 'success' | 'failure';

export interface ManifestMetrics {
  /** To be called once for a plugin; the function for each later reading of its folder. */
  follow(plugin: string, hash: () => string): (status: ReloadStatus) => void;
}

export interface ManifestMetricsOptions {
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Tells the servers of a cluster apart; only its hash is shown. */
  readonly serverId: string;
}

const prefix = 'apiserver_manifest_admission_config_controller_';

export function createManifestMetrics(options: ManifestMetricsOptions): ManifestMetrics {
  const { metrics, clock, serverId } = options;
  const apiserver_id_hash = `sha256:${manifestHash([serverId])}`;
  const hashes = new Map<string, () => string>();
  const times = new Map<string, [Labels, number]>();
  const reloads = metrics.counter(
    `${prefix}automatic_reloads_total`,
    'Total number of automatic reloads of manifest-based admission configuration split by plugin, status, and apiserver identity.',
  );
  metrics
    .gauge(
      `${prefix}automatic_reload_last_timestamp_seconds`,
      'Timestamp of the last automatic reload of manifest-based admission configuration split by plugin, status, and apiserver identity.',
    )
    .collect(() => [...times.values()]);
  metrics
    .gauge(
      `${prefix}last_config_info`,
      'Information about the last applied manifest-based admission configuration with hash as label, split by plugin and apiserver identity.',
    )
    .collect(() =>
      [...hashes].map(([plugin, hash]) => [
        { apiserver_id_hash, hash: `sha256:${hash()}`, plugin },
        1,
      ]),
    );
  return {
    follow(plugin, hash) {
      hashes.set(plugin, hash);
      return (status) => {
        const labels = { apiserver_id_hash, plugin, status };
        reloads.add(labels);
        times.set(`${plugin} ${status}`, [labels, clock.now() / 1000]);
      };
    },
  };
}
