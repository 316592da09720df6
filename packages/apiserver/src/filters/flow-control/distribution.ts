// Distributions that are counted where things happen and turned into text only when somebody reads
// /metrics: plain numbers, no labels and no look-ups on the path of a request.

import type { HistogramValue } from '../../metrics.ts';

export interface Distribution {
  /** `weight` observations of `value`. */
  observe(value: number, weight?: number): void;
  read(): HistogramValue;
}

/** `bounds` ascend; each is the inclusive upper end of its bucket. */
export function createDistribution(bounds: readonly number[]): Distribution {
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  let count = 0;
  return {
    observe(value, weight = 1) {
      let i = 0;
      while (i < bounds.length && value > (bounds[i] ?? 0)) i++;
      counts[i] = (counts[i] ?? 0) + weight;
      sum += value * weight;
      count += weight;
    },
    read() {
      let below = 0;
      const buckets = bounds.map((bound, i) => {
        below += counts[i] ?? 0;
        return [bound, below] as const;
      });
      return { buckets, sum, count };
    },
  };
}

/** How long a ratio had which value, in nanoseconds. */
export interface TimedRatio {
  /** The value so far lasted until now; from now on it is this one. */
  set(value: number, nowMs: number): void;
  setDenominator(denominator: number, nowMs: number): void;
  read(nowMs: number): HistogramValue;
}

const nanosecondsPerMs = 1e6;

export function createTimedRatio(bounds: readonly number[], startMs: number): TimedRatio {
  const distribution = createDistribution(bounds);
  let numerator = 0;
  let denominator = 1;
  let sinceMs = startMs;
  const settle = (nowMs: number) => {
    if (nowMs <= sinceMs) return;
    distribution.observe(numerator / denominator, (nowMs - sinceMs) * nanosecondsPerMs);
    sinceMs = nowMs;
  };
  return {
    set(value, nowMs) {
      if (value === numerator) return;
      settle(nowMs);
      numerator = value;
    },
    setDenominator(value, nowMs) {
      if (value === denominator) return;
      settle(nowMs);
      denominator = value;
    },
    read(nowMs) {
      settle(nowMs);
      return distribution.read();
    },
  };
}
