import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCronSchedule } from './next-run.ts';
import { createTimeZone, formatZonedTime } from './zoned-time.ts';

const time = (text: string) => Date.parse(text);
const iso = (ms: number | undefined) =>
  ms === undefined ? undefined : new Date(ms).toISOString().replace(':00.000Z', 'Z');

test('the next time of a schedule', () => {
  const rows: [schedule: string, after: string, expected: string | undefined][] = [
    ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01Z'],
    ['* * * * *', '2026-01-01T00:00:59.999Z', '2026-01-01T00:01Z'],
    ['*/15 * * * *', '2026-01-01T00:50:00Z', '2026-01-01T01:00Z'],
    ['30 6-16/4 * * 1-5', '2026-01-02T14:30:00Z', '2026-01-05T06:30Z'],
    ['0 0 1 1 *', '2026-01-01T00:00:00Z', '2027-01-01T00:00Z'],
    ['0 0 29 2 *', '2025-03-01T00:00:00Z', '2028-02-29T00:00Z'],
    ['0 0 31 2 *', '2026-01-01T00:00:00Z', undefined],
    // Either of the days, but both where one is a star.
    ['0 0 13 * fri', '2026-01-01T00:00:00Z', '2026-01-02T00:00Z'],
    ['0 0 13 * *', '2026-01-01T00:00:00Z', '2026-01-13T00:00Z'],
    ['0 0 */2 * fri', '2026-01-01T00:00:00Z', '2026-01-02T00:00Z'],
    ['0 0 ? dec sun', '2026-01-01T00:00:00Z', '2026-12-06T00:00Z'],
    ['@hourly', '2026-01-01T00:00:00Z', '2026-01-01T01:00Z'],
    ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00Z'],
    ['@every 1h30m', '2026-01-01T00:10:00.500Z', '2026-01-01T01:40Z'],
    ['TZ=Asia/Kolkata 0 5 * * *', '2026-01-01T00:00:00Z', '2026-01-01T23:30Z'],
  ];
  for (const [schedule, after, expected] of rows)
    assert.equal(iso(createCronSchedule(schedule).next(time(after))), expected, schedule);
});

test('where clocks change', () => {
  const rows: [zone: string, schedule: string, after: string, expected: string[]][] = [
    // 02:00 to 03:00 is left out on the 29th of March.
    [
      'Europe/Vienna',
      '30 2 * * *',
      '2026-03-27T12:00:00Z',
      ['2026-03-28T01:30Z', '2026-03-30T00:30Z'],
    ],
    [
      'Europe/Vienna',
      '30 * * * *',
      '2026-03-29T00:00:00Z',
      ['2026-03-29T00:30Z', '2026-03-29T01:30Z'],
    ],
    // 02:00 to 03:00 comes twice on the 25th of October.
    [
      'Europe/Vienna',
      '30 2 * * *',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-26T01:30Z'],
    ],
    [
      'Europe/Vienna',
      '0 0 * * *',
      '2026-10-24T12:00:00Z',
      ['2026-10-24T22:00Z', '2026-10-25T23:00Z'],
    ],
    // Midnight is left out on the 8th of March.
    ['America/Havana', '0 0 * * *', '2026-03-07T12:00:00Z', ['2026-03-09T04:00Z']],
  ];
  for (const [zone, schedule, after, expected] of rows) {
    const { next } = createCronSchedule(schedule, zone);
    let ms: number | undefined = time(after);
    for (const text of expected) {
      ms = next(ms ?? NaN);
      assert.equal(iso(ms), text, `${schedule} in ${zone}`);
    }
  }
});

test('the next time is later, matches, and nothing in between does', () => {
  const zones = fc.constantFrom('UTC', 'Europe/Vienna', 'America/Havana', 'Australia/Lord_Howe');
  const part = (max: number) => fc.integer({ min: 0, max });
  const from = fc.integer({ min: time('2020-01-01T00:00:00Z'), max: time('2030-01-01T00:00:00Z') });
  fc.assert(
    fc.property(part(59), part(23), zones, from, (minute, hour, zone, after) => {
      const wallTime = (ms: number) => createTimeZone(zone).wallTime(ms);
      const next = createCronSchedule(`${minute} ${hour} * * *`, zone).next(after) ?? NaN;
      assert.ok(next > after && next <= after + 50 * 3_600_000);
      const isRun = (ms: number) => wallTime(ms).hour === hour && wallTime(ms).minute === minute;
      assert.ok(isRun(next));
      for (let ms = Math.ceil((after + 1) / 900_000) * 900_000; ms < next; ms += 900_000)
        assert.ok(!isRun(ms));
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('times of a zone', () => {
  const rows: [zone: string, expected: string][] = [
    ['UTC', '2026-07-01T12:00:00Z'],
    ['Europe/Vienna', '2026-07-01T14:00:00+02:00'],
    ['America/St_Johns', '2026-07-01T09:30:00-02:30'],
  ];
  for (const [zone, expected] of rows)
    assert.equal(formatZonedTime(time('2026-07-01T12:00:00Z'), zone), expected);
});
