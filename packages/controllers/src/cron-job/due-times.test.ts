import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCronSchedule, formatTime } from '@keelson/apimachinery';
import type { CronJob } from '@keelson/apimachinery/types/batch.v1';
import { dueTime, nextRunInMs } from './due-times.ts';

const cronJob = (last: number, startingDeadlineSeconds?: number): CronJob =>
  ({
    metadata: { name: 'c' },
    spec: {
      schedule: '',
      ...(startingDeadlineSeconds !== undefined && { startingDeadlineSeconds }),
    },
    status: { lastScheduleTime: formatTime(last) },
  }) as CronJob;
const start = Date.UTC(2026, 0, 1);
const minutes = (count: number) => start + count * 60_000;

test('what is due, and when the next run is', () => {
  const rows: [
    schedule: string,
    now: number,
    deadline: number | undefined,
    due: number | undefined,
    isFarBehind: boolean,
    next: number,
  ][] = [
    ['*/5 * * * *', minutes(4), undefined, undefined, false, minutes(5)],
    ['*/5 * * * *', minutes(5), undefined, minutes(5), false, minutes(10)],
    ['*/5 * * * *', minutes(5) + 1, undefined, minutes(5), false, minutes(10)],
    ['*/5 * * * *', minutes(504), undefined, minutes(500), false, minutes(505)],
    ['*/5 * * * *', minutes(505), undefined, minutes(505), true, minutes(510)],
    ['*/5 * * * *', minutes(509), 600, minutes(505), false, minutes(510)],
    ['*/5 * * * *', minutes(509), 60, undefined, false, minutes(510)],
    ['@every 7m', minutes(30), undefined, minutes(28), false, minutes(35)],
    // Every minute of January, looked at in December: the last one is found all the same.
    [
      '* * * 1 *',
      Date.UTC(2026, 11, 1),
      undefined,
      Date.UTC(2026, 0, 31, 23, 59),
      true,
      Date.UTC(2027, 0, 1),
    ],
  ];
  for (const [text, now, deadline, due, isFarBehind, next] of rows) {
    const schedule = createCronSchedule(text);
    const of = cronJob(start, deadline);
    const expected = { ...(due !== undefined && { due }), isFarBehind };
    assert.deepEqual(dueTime(of, schedule, now), expected, `${text} at ${formatTime(now)}`);
    assert.equal(nextRunInMs(of, schedule, now), next + 100 - now, `${text} at ${formatTime(now)}`);
  }
});

test('the run that is due is the last one that was planned', () => {
  const steps = fc.constantFrom('*', '*/7', '3,44', '10-20');
  const hours = fc.constantFrom('*', '*/5', '2', '8-17');
  fc.assert(
    fc.property(steps, hours, fc.integer({ min: 0, max: 20_000 }), (minute, hour, elapsed) => {
      const schedule = createCronSchedule(`${minute} ${hour} * * *`);
      const now = minutes(elapsed);
      let last: number | undefined;
      for (let at = schedule.next(start) ?? NaN; at <= now; at = schedule.next(at) ?? NaN)
        last = at;
      assert.equal(dueTime(cronJob(start), schedule, now).due, last);
    }),
    { seed: 1, numRuns: 50 },
  );
});
