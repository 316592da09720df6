// Waiting for what a cluster comes to: a check that fails is made again after every write, so that
// whoever waits is there as soon as it holds, without sleeping and without a watch of their own.
// It is made again now and then without a write too, for what a program knows beside its objects.

import type { Clock } from '@keelson/apimachinery';
import type { Storage } from '@keelson/apiserver';

export interface EventuallyOptions {
  /** Of the cluster's clock. Default: 10 s. */
  readonly timeoutMs?: number;
}

/** Long for what a cluster in this process does; only a check that never holds takes so long. */
const defaultTimeoutMs = 10_000;
/** Often enough for a test not to feel it, seldom enough to cost nothing. */
const idleRecheckMs = 50;
/** Writes come in bursts: one check for those that come together. */
const recheckPauseMs = 3;

/**
 * Resolves with what `check` returns as soon as it does not throw. When time is up it is made once
 * more, and what it throws is thrown. Checks do not overlap; writes during one are looked at in the
 * next. Throws when the storage is closed meanwhile.
 */
export async function eventually<T>(
  { storage, clock }: { readonly storage: Storage; readonly clock: Clock },
  check: () => T | Promise<T>,
  { timeoutMs = defaultTimeoutMs }: EventuallyOptions = {},
): Promise<T> {
  const watching = new AbortController();
  let isTimeUp = false;
  let isClosed = false;
  let writes = 0;
  let wake = () => {};
  storage.watch('/', {
    signal: watching.signal,
    onEvents() {
      writes++;
      wake();
    },
    onEnd() {
      isClosed = true;
      wake();
    },
  });
  const cancelDeadline = clock.after(timeoutMs, () => {
    isTimeUp = true;
    wake();
  });
  const woken = () =>
    new Promise<void>((resolve) => {
      const cancel = clock.after(idleRecheckMs, resolve);
      wake = () => {
        cancel();
        wake = () => {};
        clock.after(recheckPauseMs, resolve);
      };
    });
  try {
    for (;;) {
      const isLast = isTimeUp;
      const writesBefore = writes;
      try {
        return await check();
      } catch (error) {
        if (isLast) throw error;
        if (isClosed) throw new Error('the cluster was closed meanwhile', { cause: error });
      }
      if (writes === writesBefore && !isTimeUp && !isClosed) await woken();
    }
  } finally {
    cancelDeadline();
    watching.abort();
  }
}
