// Forgets old history as kube-apiserver's compactor does: every interval, everything up to the
// revision of one interval ago. So the history reaches back one to two intervals.

import type { Clock } from '@keelson/apimachinery';
import { isStorageError } from '../storage.ts';
import type { Storage } from '../storage.ts';

/** Runs until the returned function is called or the storage is closed or failed. */
export function startCompaction(storage: Storage, clock: Clock, intervalMs: number): () => void {
  let cancel = clock.after(intervalMs, tick);
  let target = storage.revision();

  function tick(): void {
    const reached = target;
    target = storage.revision();
    storage.compact(reached).then(
      () => {
        cancel = clock.after(intervalMs, tick);
      },
      (error: unknown) => {
        // A store that cannot compact has failed or been closed; every caller is told so.
        if (!isStorageError(error)) throw error;
      },
    );
  }
  return () => cancel();
}
