// Which run of a CronJob is due, and when to look again.
// https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#cron-job-limitations

import type { CronSchedule } from '@keelson/apimachinery';
import type { CronJob } from '@keelson/apimachinery/types/batch.v1';

export interface DueTime {
  /** Milliseconds since 1970: the latest run that should have started; undefined when there is none. */
  readonly due?: number;
  /** So many were missed that something must be wrong. */
  readonly isFarBehind: boolean;
}

const missedMax = 100;
/** A little late rather than a little early: clocks are not that exact. */
const lateMs = 100;

/** Runs before the starting deadline are forgotten. */
export function dueTime(cronJob: CronJob, schedule: CronSchedule, now: number): DueTime {
  const { startingDeadlineSeconds: seconds } = cronJob.spec;
  const deadline = seconds === undefined ? -Infinity : now - Number(seconds) * 1000;
  const from = Math.max(countedFrom(cronJob, now), deadline);
  const first = schedule.next(from);
  if (first === undefined || first > now) return { isFarBehind: false };
  const second = schedule.next(first) ?? Infinity;
  const missed = second > now ? 1 : Math.floor((now - first) / (second - first)) + 1;
  return { due: latestRun(schedule, from, now), isFarBehind: missed > missedMax };
}

/** Milliseconds until the next run; undefined when there is none. */
export function nextRunInMs(
  cronJob: CronJob,
  schedule: CronSchedule,
  now: number,
): number | undefined {
  const from = countedFrom(cronJob, now);
  const first = schedule.next(from);
  const last = first !== undefined && first <= now ? latestRun(schedule, from, now) : from;
  const next = schedule.next(last);
  return next === undefined ? undefined : next + lateMs - now;
}

function countedFrom({ metadata, status }: CronJob, now: number): number {
  const time = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '');
  return Number.isNaN(time) ? now : time;
}

/**
 * The last run after `from` and not after `now`; there must be one. What comes next after a moment
 * only moves forward with it, so bisecting finds the run however many there were.
 */
function latestRun(schedule: CronSchedule, from: number, now: number): number {
  const { everyMs } = schedule;
  const first = schedule.next(from) ?? now;
  if (everyMs !== undefined) return first + Math.floor((now - first) / everyMs) * everyMs;
  let [low, high] = [first - 1, now];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if ((schedule.next(middle) ?? Infinity) <= now) low = middle;
    else high = middle;
  }
  return schedule.next(low) ?? first;
}
