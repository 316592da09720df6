// One priority level as its PriorityLevelConfiguration describes it, and what becomes of that on this
// server: a number of seats, which grows and shrinks as levels lend and borrow.

import type { Clock } from '@keelson/apimachinery';
import type { PriorityLevelConfiguration } from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import type { RequestContext } from '../../request-context.ts';
import { createRetryAfter, type RetryAfter } from './retry-after.ts';
import { createLevelMeter, type LevelMeter } from './level-meter.ts';
import { QueueSet, type QueueSetShape } from './queue-set.ts';

/** Shares and what may be lent or borrowed of them, in percent. */
export interface LevelPlan {
  readonly shares: number;
  readonly lendablePercent: number;
  /** Undefined: as much as the server has. */
  readonly borrowingLimitPercent: number | undefined;
  readonly shape: QueueSetShape;
}

export interface PriorityLevel {
  readonly name: string;
  /** Empty for a mandatory level that is not stored at the moment. */
  uid: string;
  plan: LevelPlan;
  readonly meter: LevelMeter;
  readonly queues: QueueSet<RequestContext>;
  readonly retryAfter: RetryAfter;
  /** Seats by its shares alone, the least and the most that it can have by lending and borrowing. */
  nominalSeats: number;
  lowerSeats: number;
  upperSeats: number;
  /** Seats that it was meant to have at the last allocation. */
  targetSeats: number;
  /** The most that one request may occupy; 0 is no bound of the level's own. */
  maxSeats: number;
  /** Its configuration is gone; it ends when its requests have. */
  quiescing: boolean;
  refused: number;
  timedOut: number;
  cancelled: number;
  dispatched: number;
}

export const isExempt = ({ plan }: PriorityLevel) => plan.shape.mode === 'exempt';

/** Undefined when type and parts contradict each other: such a level is treated as absent. */
export function readPlan(configuration: PriorityLevelConfiguration): LevelPlan | undefined {
  const { type, limited, exempt } = configuration.spec;
  if ((type === 'Exempt') !== (configuration.metadata.name === 'exempt')) return undefined;
  if (type === 'Exempt') {
    return {
      shares: exempt?.nominalConcurrencyShares ?? 0,
      lendablePercent: exempt?.lendablePercent ?? 0,
      borrowingLimitPercent: undefined,
      shape: { mode: 'exempt' },
    };
  }
  if (type !== 'Limited' || limited === undefined) return undefined;
  const queuing = limited.limitResponse?.queuing;
  if ((limited.limitResponse?.type === 'Queue') !== (queuing !== undefined)) return undefined;
  const { queues = 64, handSize = 8, queueLengthLimit = 50 } = queuing ?? {};
  if (queues < 1 || handSize < 1 || handSize > queues) return undefined;
  return {
    shares: limited.nominalConcurrencyShares ?? 30,
    lendablePercent: limited.lendablePercent ?? 0,
    borrowingLimitPercent: limited.borrowingLimitPercent,
    shape:
      queuing === undefined
        ? { mode: 'reject' }
        : { mode: 'queue', queues, handSize, queueLengthLimit },
  };
}

export function createPriorityLevel(name: string, plan: LevelPlan, clock: Clock): PriorityLevel {
  const meter = createLevelMeter(clock.monotonic());
  return {
    name,
    uid: '',
    plan,
    meter,
    queues: new QueueSet({ clock, meter, shape: plan.shape, limit: 0 }),
    retryAfter: createRetryAfter(),
    nominalSeats: 0,
    lowerSeats: 0,
    upperSeats: 0,
    targetSeats: 0,
    maxSeats: 0,
    quiescing: false,
    refused: 0,
    timedOut: 0,
    cancelled: 0,
    dispatched: 0,
  };
}

/** Of the nominal seats, what one request may occupy at most. */
const maxSeatsFraction = 0.15;

/** Gives the level its part of the server's seats, by its part of all shares. */
export function shareSeats(level: PriorityLevel, serverSeats: number, allShares: number): void {
  const { shares, lendablePercent, borrowingLimitPercent, shape } = level.plan;
  const nominal = allShares === 0 ? 0 : Math.ceil((serverSeats * shares) / allShares);
  level.nominalSeats = nominal;
  level.lowerSeats = nominal - Math.round((nominal * lendablePercent) / 100);
  level.upperSeats =
    nominal +
    (borrowingLimitPercent === undefined
      ? serverSeats
      : Math.round((nominal * borrowingLimitPercent) / 100));
  level.maxSeats =
    shape.mode === 'queue'
      ? Math.max(
          1,
          Math.min(Math.ceil(nominal * maxSeatsFraction), Math.floor(nominal / shape.handSize)),
        )
      : 0;
}
