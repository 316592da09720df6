// The loop of a controller that looks at everything once in a while, in place of waiting for
// changes.

import { sleep, type Clock } from '@keelson/apimachinery';

/**
 * Runs `work` at once and then `periodMs` after it last ended, until the signal is aborted. `work`
 * must not reject. Never rejects.
 */
export async function runPeriodically(
  work: (signal: AbortSignal) => Promise<void>,
  { clock, periodMs }: { readonly clock: Clock; readonly periodMs: number },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await work(signal);
    await sleep(clock, periodMs, signal).catch(() => {});
  }
}
