// How many seats a priority level could use: maximum, average and deviation over time between two
// looks, and the smoothed demand that seats are allocated by. Demand is followed upwards at once and
// downwards slowly, so that a level does not lose at every lull what it needs a moment later.

export interface SeatDemandStatistics {
  readonly highWatermark: number;
  readonly average: number;
  readonly deviation: number;
  readonly smoothed: number;
}

export interface SeatDemand {
  /** The demand so far lasted until now; from now on it is this one. */
  set(seats: number, nowMs: number): void;
  /** Ends a period that has taken `periods` of the usual ones, and starts the next. */
  endPeriod(nowMs: number, periods: number): SeatDemandStatistics;
  readonly statistics: SeatDemandStatistics;
}

/** Weight of the past after one period of ten seconds: half is forgotten in five minutes. */
const memory = 0.977;

export function createSeatDemand(startMs: number): SeatDemand {
  let statistics = { highWatermark: 0, average: 0, deviation: 0, smoothed: 0 };
  let seats = 0;
  let sinceMs = startMs;
  let durationMs = 0;
  let max = 0;
  let integral = 0;
  let squareIntegral = 0;
  const settle = (nowMs: number) => {
    const elapsed = Math.max(0, nowMs - sinceMs);
    durationMs += elapsed;
    integral += seats * elapsed;
    squareIntegral += seats * seats * elapsed;
    sinceMs = nowMs;
  };
  return {
    get statistics() {
      return statistics;
    },
    set(value, nowMs) {
      settle(nowMs);
      seats = value;
      if (value > max) max = value;
    },
    endPeriod(nowMs, periods) {
      settle(nowMs);
      const highWatermark = max;
      if (durationMs > 0) {
        const average = integral / durationMs;
        const variance = squareIntegral / durationMs - average * average;
        const deviation = Math.sqrt(Math.max(0, variance));
        const envelope = average + deviation;
        const kept = memory ** periods;
        const smoothed = Math.max(envelope, kept * statistics.smoothed + (1 - kept) * envelope);
        statistics = { highWatermark, average, deviation, smoothed };
      } else {
        statistics = { ...statistics, highWatermark };
      }
      durationMs = integral = squareIntegral = 0;
      max = seats;
      return statistics;
    },
  };
}
