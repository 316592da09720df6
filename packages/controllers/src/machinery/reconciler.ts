// The frame that most controllers share: subscribe to informers, wait until they are complete, then
// let workers reconcile one key after the other until the signal is aborted. What a namespace on its
// way out takes no more is no failure of what lives in it, and not tried again: it goes as well.

import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from './controller.ts';
import { errorText, parseKey } from './controller.ts';
import { runController, type ReconcileResult } from './run-controller.ts';
import { isNamespaceTerminating } from './status-causes.ts';
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
  /** Throwing means to try the key again later, unless its namespace is on its way out. */
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
      const attempt = (key: string, until: AbortSignal) =>
        reconcile(key, until).catch((error: unknown) => {
          const isLeaving = parseKey(key).namespace !== '' && isNamespaceTerminating(error);
          if (!isLeaving) throw error;
        });
      await runController({ queue, reconcile: attempt, workers, onError }, signal);
      for (const end of unsubscribe) end();
    },
  };
}
