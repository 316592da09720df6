// Exponential back-off with jitter: each wait is between one and two times a base that doubles up
// to a bound, so that many clients of a server that comes back do not come at once.

import type { Random } from '@keelson/apimachinery';

export interface BackoffOptions {
  readonly random: Random;
  readonly initialMs: number;
  readonly maxMs: number;
}
export interface Backoff {
  /** The next wait. */
  nextMs(): number;
  /** Something worked: begin anew. */
  reset(): void;
}

export function createBackoff({ random, initialMs, maxMs }: BackoffOptions): Backoff {
  let base = initialMs;
  return {
    nextMs() {
      const wait = Math.min(base * (1 + random.float()), maxMs);
      base = Math.min(base * 2, maxMs);
      return wait;
    },
    reset: () => void (base = initialMs),
  };
}
