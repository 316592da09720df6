// The loop of a controller: workers take keys from its queue and reconcile them. A reconciler looks
// at what is there now, never at what has happened, so it may be called too often and never knows
// why.

import { isStatusError, nextTurn } from '@keelson/apimachinery';
import type { WorkQueue } from './work-queue.ts';

/** What a reconciler wants next; nothing when all is as it should be. */
export type ReconcileResult = { readonly requeueAfterMs: number } | typeof requeueLater | void;
/** Not a failure, but not done: the key comes again as a failed one would, later and later. */
export const requeueLater: unique symbol = Symbol('requeue later');

export interface RunControllerOptions<K> {
  readonly queue: WorkQueue<K>;
  /** Throwing means to try the key again later. */
  readonly reconcile: (key: K, signal: AbortSignal) => Promise<ReconcileResult>;
  readonly workers: number;
  /** Told of every failure but conflicts and the signal's. */
  readonly onError: (error: unknown, key: K) => void;
}

/** Resolves when the signal was aborted and the last worker has come back. Never rejects. */
export async function runController<K>(
  options: RunControllerOptions<K>,
  signal: AbortSignal,
): Promise<void> {
  const { queue } = options;
  const stop = () => queue.shutDown();
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const giveWay = createTurns();
  const workers = Array.from({ length: options.workers }, () => work(options, giveWay, signal));
  await Promise.all(workers);
}

/**
 * Reconciliations in a row, of all workers, before others get a turn. Each takes a fraction of a
 * millisecond where the server is in the same process.
 */
const reconciliationsPerTurn = 8;

function createTurns(): () => Promise<void> | undefined {
  let count = 0;
  return () => (++count % reconciliationsPerTurn === 0 ? nextTurn() : undefined);
}

async function work<K>(
  options: RunControllerOptions<K>,
  giveWay: () => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { queue, reconcile, onError } = options;
  for (;;) {
    const key = await queue.next();
    if (key === undefined || signal.aborted) return;
    try {
      const result = await reconcile(key, signal);
      if (result === requeueLater) queue.addRateLimited(key);
      else {
        queue.forget(key);
        if (result !== undefined) queue.addAfter(key, result.requeueAfterMs);
      }
    } catch (error) {
      if (!signal.aborted) {
        // Somebody else was faster: trying again is all there is to do about it.
        if (!isStatusError(error, 'Conflict')) onError(error, key);
        queue.addRateLimited(key);
      }
    } finally {
      queue.done(key);
    }
    await giveWay();
  }
}
