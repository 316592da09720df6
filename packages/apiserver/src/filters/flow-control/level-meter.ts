// What one priority level did over time: how full its seats and queues were, how many seats it could have
// used, and where its virtual time stands. Written by its queues, read by /metrics and by the allocation
// of seats.

import { createTimedRatio, type TimedRatio } from './distribution.ts';
import { createSeatDemand, type SeatDemand } from './seat-demand.ts';

export interface LevelLoad {
  readonly executing: number;
  readonly waiting: number;
  readonly seatsInUse: number;
  readonly seatsWaiting: number;
}

/** The last dispatch in virtual time, in seat-seconds. */
export interface DispatchReadings {
  readonly dispatchR: number;
  readonly latestS: number;
  readonly nextS: readonly [number, number];
  readonly nextDiscountedS: readonly [number, number];
}

export interface LevelMeter {
  note(nowMs: number, load: LevelLoad): void;
  /** Before the queues are looked through for the next request, … */
  startScan(): void;
  /** … for each of them, … */
  scanned(s: number, discountedS: number): void;
  /** … and when one was found. */
  dispatched(r: number, s: number): void;
  setDenominators(seats: number, waiting: number, nowMs: number): void;
  readonly demand: SeatDemand;
  readonly seatUtilization: TimedRatio;
  readonly executingUtilization: TimedRatio;
  readonly waitingUtilization: TimedRatio;
  readonly seatDemandRatio: TimedRatio;
  /** Absent before the first dispatch from a queue. */
  readonly dispatch: DispatchReadings | undefined;
}

const seatUtilizationBounds = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];
const requestUtilizationBounds = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1];
const seatDemandBounds = [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6];

export function createLevelMeter(startMs: number): LevelMeter {
  const demand = createSeatDemand(startMs);
  const seatUtilization = createTimedRatio(seatUtilizationBounds, startMs);
  const executingUtilization = createTimedRatio(requestUtilizationBounds, startMs);
  const waitingUtilization = createTimedRatio(requestUtilizationBounds, startMs);
  const seatDemandRatio = createTimedRatio(seatDemandBounds, startMs);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let discountedLow = low;
  let discountedHigh = high;
  let last: DispatchReadings | undefined;
  return {
    demand,
    seatUtilization,
    executingUtilization,
    waitingUtilization,
    seatDemandRatio,
    get dispatch() {
      return last;
    },
    note(nowMs, { executing, waiting, seatsInUse, seatsWaiting }) {
      const wanted = seatsInUse + seatsWaiting;
      demand.set(wanted, nowMs);
      seatDemandRatio.set(wanted, nowMs);
      seatUtilization.set(seatsInUse, nowMs);
      executingUtilization.set(executing, nowMs);
      waitingUtilization.set(waiting, nowMs);
    },
    startScan() {
      low = discountedLow = Number.POSITIVE_INFINITY;
      high = discountedHigh = Number.NEGATIVE_INFINITY;
    },
    scanned(s, discountedS) {
      if (s < low) low = s;
      if (s > high) high = s;
      if (discountedS < discountedLow) discountedLow = discountedS;
      if (discountedS > discountedHigh) discountedHigh = discountedS;
    },
    dispatched(r, s) {
      last = {
        dispatchR: r,
        latestS: s,
        nextS: [low, high],
        nextDiscountedS: [discountedLow, discountedHigh],
      };
    },
    setDenominators(seats, waiting, nowMs) {
      seatDemandRatio.setDenominator(seats, nowMs);
      seatUtilization.setDenominator(seats, nowMs);
      executingUtilization.setDenominator(seats, nowMs);
      waitingUtilization.setDenominator(waiting, nowMs);
    },
  };
}
