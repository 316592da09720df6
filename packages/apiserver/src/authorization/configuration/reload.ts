// Keeps to the file of `--authorization-config` while the server runs: it is looked at every minute
// and whenever it is said to have changed. A file that cannot be used changes nothing and is
// counted: once, if its text is wrong, because the text is remembered; every time, if it cannot be
// read.

import type { Clock } from '@keelson/apimachinery';
import { sha256Label } from '../../authentication/jwt/jwt-metrics.ts';
import { serverIdHash } from '../../authentication/server-id.ts';
import type { Logger } from '../../logger.ts';
import type { Metrics } from '../../metrics.ts';

export interface ReloadOptions {
  /** The text now. Throws when there is none. */
  readonly read: () => string;
  /** The text that the server started with. */
  readonly current: string;
  /** Puts a new text into force, whole. Throws when it cannot be used. */
  readonly apply: (text: string) => void;
  /** Calls back when the file may have changed; the function ends that. */
  readonly watch?: (onChange: () => void) => () => void;
  /** Tells this server from others in metrics. */
  readonly hostName: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** As kube-apiserver, for what no notice was given of. */
const pollIntervalMs = 60_000;

export function startReload(options: ReloadOptions): void {
  const { clock, signal } = options;
  const check = createCheck(options);
  let cancel: () => void = () => {};
  const poll = () => {
    check();
    cancel = clock.after(pollIntervalMs, poll);
  };
  cancel = clock.after(pollIntervalMs, poll);
  const unwatch = options.watch?.(check);
  signal.addEventListener('abort', () => {
    cancel();
    unwatch?.();
  });
}

function createCheck(options: ReloadOptions): () => void {
  const { read, apply, logger, metrics, clock, hostName } = options;
  let known = options.current;
  let inForce = options.current;
  const record = createReloadMetrics(metrics, hostName, () => inForce);
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      record('failure', clock.now());
      logger.error('authorization configuration not reloaded', {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  };
  return () =>
    attempt(() => {
      const text = read();
      if (text === known) return;
      known = text;
      apply(text);
      inForce = text;
      record('success', clock.now());
      logger.info('authorization configuration reloaded');
    });
}

type Status = 'success' | 'failure';

function createReloadMetrics(metrics: Metrics, hostName: string, inForce: () => string) {
  const prefix = 'apiserver_authorization_config_controller_';
  const apiserver_id_hash = serverIdHash(hostName);
  const reloads = metrics.counter(
    `${prefix}automatic_reloads_total`,
    'Total number of automatic reloads of authorization configuration split by status and apiserver identity.',
  );
  const last = metrics.gauge(
    `${prefix}automatic_reload_last_timestamp_seconds`,
    'Timestamp of the last automatic reload of authorization configuration split by status and apiserver identity.',
  );
  const config = metrics.gauge(
    `${prefix}last_config_info`,
    'Information about the last applied authorization configuration with hash as label, split by apiserver identity.',
  );
  const lastSeconds = new Map<Status, number>();
  last.collect(() =>
    [...lastSeconds].map(([status, seconds]) => [{ status, apiserver_id_hash }, seconds]),
  );
  config.collect(() => [[{ apiserver_id_hash, hash: sha256Label(inForce()) }, 1]]);
  return (status: Status, nowMs: number): void => {
    reloads.add({ status, apiserver_id_hash });
    lastSeconds.set(status, nowMs / 1000);
  };
}
