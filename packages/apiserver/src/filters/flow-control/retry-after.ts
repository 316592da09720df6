// How many seconds a refused client is told to wait. One, while few are refused; twice as many each time
// that refusals keep coming, and one less each time that they do not, as TCP does with its window.

/** Seconds beyond which nobody is sent away, and for which refusals are remembered. */
const secondsMax = 32;

export interface RetryAfter {
  /** Seconds to wait, by what was refused before. */
  seconds(): number;
  noteRefusal(nowMs: number): void;
}

export function createRetryAfter(): RetryAfter {
  let seconds = 1;
  let raisedAt = Number.NEGATIVE_INFINITY;
  let current = { second: Number.NEGATIVE_INFINITY, refused: 0 };
  let history: { readonly second: number; readonly refused: number }[] = [];
  const adjust = (now: number) => {
    const recent = history.filter(({ second }) => now - second <= seconds);
    const refused = recent.reduce((total, one) => total + one.refused, 0);
    if (now - raisedAt >= seconds && refused >= 3 * seconds) {
      seconds = Math.min(secondsMax, seconds * 2);
      raisedAt = now;
    } else if (refused < seconds && seconds > 1) {
      seconds--;
    }
  };
  return {
    seconds: () => seconds,
    noteRefusal(nowMs) {
      const now = Math.floor(nowMs / 1000);
      if (now === current.second) {
        current.refused++;
        return;
      }
      if (current.refused > 0) history.push(current);
      history = history.filter(({ second }) => now - second <= secondsMax);
      current = { second: now, refused: 1 };
      adjust(now);
    },
  };
}
