// Informers of client-node end with their first error: an API server that restarts, a right that is
// missing for a while, a definition that is not there yet. This starts them again.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Informer, KubernetesObject } from '@kubernetes/client-node';

export interface WatchingOptions {
  readonly retryDelayMs: number;
  readonly onFailure: (what: string, error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the informer has started, or failed to and will be started again. */
export async function keepWatching<T extends KubernetesObject>(
  informer: Informer<T>,
  { retryDelayMs, onFailure, signal }: WatchingOptions,
): Promise<void> {
  const startLater = async (error: unknown) => {
    if (signal.aborted) return;
    onFailure('watch', error);
    await sleep(retryDelayMs, undefined, { signal }).catch(() => {});
    if (!signal.aborted) await start();
  };
  const start = () => informer.start().catch(startLater);
  informer.on('error', (error) => void startLater(error));
  await start();
}
