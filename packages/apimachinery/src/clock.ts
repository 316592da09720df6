// Time is injected: nothing but this file and the tests' simulated clock reads the machine's.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  monotonic(): number;
  /** Runs `fn` once after `delayMs`, unless cancelled. Timers do not keep the process alive. */
  after(delayMs: number, fn: () => void): CancelTimer;
}
export type CancelTimer = () => void;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fn) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number) => {
      const isLast = leftMs <= timerMaxMs;
      const next = isLast ? fn : () => arm(leftMs - timerMaxMs);
      timer = setTimeout(next, Math.min(leftMs, timerMaxMs));
      timer.unref();
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};
/** 25 days: the machine takes a longer timeout for none. */
const timerMaxMs = 2 ** 31 - 1;

/** Resolves after `delayMs`; rejects with the signal's reason when that is aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** `2024-02-03T04:05:06Z`, the form of `metav1.Time`. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  // One write asks for the same second several times.
  if (second !== lastSecond) {
    lastTime = new Date(second * 1000).toISOString().replace('.000Z', 'Z');
    lastSecond = second;
  }
  return lastTime;
}
let lastSecond = Number.NaN;
let lastTime = '';
/** `2024-02-03T04:05:06.000007Z`, the form of `metav1.MicroTime`. */
export function formatMicroTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
