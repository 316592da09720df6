// What happened to the requests of one FlowSchema at one priority level, as plain numbers.

import { createDistribution, type Distribution } from './distribution.ts';

export interface FlowCounts {
  readonly priorityLevel: string;
  readonly flowSchema: string;
  waiting: number;
  seatsWaiting: number;
  executing: number;
  seatsInUse: number;
  dispatched: number;
  readonly rejected: Record<'concurrency-limit' | 'queue-full' | 'time-out' | 'cancelled', number>;
  /** Tries to dispatch a request for which there were not enough seats. */
  withoutAccommodation: number;
  readonly queueLength: Distribution;
  readonly waitSeconds: { readonly executed: Distribution; readonly refused: Distribution };
  readonly executionSeconds: { readonly regular: Distribution; readonly watch: Distribution };
  readonly watchCount: Distribution;
  readonly estimatedSeats: Distribution;
}

const queueLengthBounds = [0, 10, 25, 50, 100, 250, 500, 1000];
const secondsBounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const watchCountBounds = [0, 1, 10, 100, 1000, 10_000];
const seatsBounds = [1, 2, 4, 10];

export function createFlowCounts(priorityLevel: string, flowSchema: string): FlowCounts {
  return {
    priorityLevel,
    flowSchema,
    waiting: 0,
    seatsWaiting: 0,
    executing: 0,
    seatsInUse: 0,
    dispatched: 0,
    rejected: { 'concurrency-limit': 0, 'queue-full': 0, 'time-out': 0, cancelled: 0 },
    withoutAccommodation: 0,
    queueLength: createDistribution(queueLengthBounds),
    waitSeconds: {
      executed: createDistribution(secondsBounds),
      refused: createDistribution(secondsBounds),
    },
    executionSeconds: {
      regular: createDistribution(secondsBounds),
      watch: createDistribution(secondsBounds),
    },
    watchCount: createDistribution(watchCountBounds),
    estimatedSeats: createDistribution(seatsBounds),
  };
}
