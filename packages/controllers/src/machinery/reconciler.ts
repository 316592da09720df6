// The frame that most controllers share: subscribe to informers, wait until they are complete, then
// let workers reconcile one key after the other until the signal is aborted.

import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from './controller.ts';
import { errorText } from './controller.ts';
import { runController, type ReconcileResult } from './run-controller.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

export interface ReconcilerOptions {
  /** What could not be done when reconciling fails, for the log: `replica set not reconciled`. */
  readonly failure: string;
  /** What the queue is called in metrics; none are kept of one without a name. */
  readonly queue?: string;
  readonly workers: number;
  /** Everything that `reconcile` reads; nothing is reconciled before all are complete. */
  readonly reads: readonly Pick<Informer, 'synced'>[];
  /** Puts keys into the queue when something changes. Returns what ends the subscriptions. */
  subscribe(queue: WorkQueue): readonly (() => void)[];
  /** Throwing means to try the key again later. */
  reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult>;
}

export function createReconciler(
  { clock, log, metrics }: Pick<ControllerContext, 'clock' | 'log' | 'metrics'>,
  { failure, queue: queueName, workers, reads, subscribe, reconcile }: ReconcilerOptions,
): Controller {
  return {
    async run(signal) {
      const meter = queueName === undefined ? {} : { meter: metrics.workQueue(queueName) };
      const queue = createWorkQueue({ clock, ...meter });
      const unsubscribe = subscribe(queue);
      const onError = (error: unknown, key: string) =>
        log.warn(failure, { key, error: errorText(error) });
      // Rejects with the signal only, and then there is nothing left to run.
      await Promise.all(reads.map((informer) => informer.synced(signal))).catch(() => {});
      await runController({ queue, reconcile, workers, onError }, signal);
      for (const end of unsubscribe) end();
    },
  };
}
