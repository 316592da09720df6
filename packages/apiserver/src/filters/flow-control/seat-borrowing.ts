// Adjusts what each priority level may use to what each needs: every ten seconds, and when the
// configuration changes, the seats that idle levels are ready to lend go to the busy ones.

import { allocateSeats } from './seat-allocation.ts';
import { isExempt, type PriorityLevel } from './priority-level.ts';

export const adjustmentPeriodMs = 10_000;

export interface Adjustment {
  /** All seats there are. */
  readonly serverSeats: number;
  readonly nowMs: number;
  /** How many periods ended since the last adjustment. */
  readonly periods: number;
}

/** Sets the current limit of every level; answers the fair fraction. */
export function adjustLimits(
  levels: readonly PriorityLevel[],
  { serverSeats, nowMs, periods }: Adjustment,
): number {
  for (const level of levels) level.meter.demand.endPeriod(nowMs, periods);
  const total = levels.reduce((sum, level) => sum + level.nominalSeats, 0);
  const exempt = levels.filter(isExempt);
  const limited = levels.filter((level) => !isExempt(level));
  let remaining = total;
  const setLimit = (level: PriorityLevel, seats: number) => {
    const denominator = seats > 0 ? seats : Math.max(1, Math.round(serverSeats / 10));
    const { shape } = level.plan;
    const room = shape.mode === 'queue' ? shape.queues * Math.max(1, shape.queueLengthLimit) : 1;
    level.meter.setDenominators(denominator, room, nowMs);
    level.queues.setLimit(seats);
  };
  for (const level of exempt) {
    const seats = Math.max(level.lowerSeats, level.meter.demand.statistics.highWatermark);
    level.targetSeats = seats;
    setLimit(level, seats);
    remaining -= seats;
  }
  const { seats, fairFraction } = divide(remaining, limited);
  limited.forEach((level, i) => setLimit(level, Math.round(seats[i] ?? level.lowerSeats)));
  return fairFraction;
}

function divide(
  remaining: number,
  levels: readonly PriorityLevel[],
): { readonly seats: readonly number[]; readonly fairFraction: number } {
  const claims = levels.map((level) => {
    const { highWatermark, smoothed } = level.meter.demand.statistics;
    const lower = Math.max(level.lowerSeats, Math.min(level.nominalSeats, highWatermark));
    const target = Math.max(lower, smoothed);
    level.targetSeats = target;
    return { lower, upper: level.upperSeats, target };
  });
  const configured = levels.reduce((sum, level) => sum + level.lowerSeats, 0);
  const needed = claims.reduce((sum, { lower }) => sum + lower, 0);
  if (remaining > needed) return allocateSeats(remaining, claims);
  // Exempt requests took so much that the others cannot even have what they used.
  const part =
    needed > configured ? Math.max(0, remaining - configured) / (needed - configured) : 0;
  const seats = levels.map(
    ({ lowerSeats }, i) => lowerSeats + ((claims[i]?.lower ?? lowerSeats) - lowerSeats) * part,
  );
  return { seats, fairFraction: 0 };
}
