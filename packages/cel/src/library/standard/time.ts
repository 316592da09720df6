/**
 * The parts of timestamps and durations. Timestamps are read in UTC, or in the zone that is given.
 */

import { celTypes } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import { calendarTime } from '../../values/timestamp-text.ts';
import type { CalendarTime } from '../../values/timestamp-text.ts';
import type { CelDuration, CelResult, CelTimestamp } from '../../values/value.ts';
import { memberOverload } from '../library.ts';
import type { FunctionDeclaration, Overload } from '../library.ts';

const { duration, int, string, timestamp } = celTypes;

type Part = (time: CalendarTime) => number;

/** The getters. */
export const timeFunctions: readonly FunctionDeclaration[] = [
  ofTimestamp('getFullYear', 'year', (time) => time.year),
  ofTimestamp('getMonth', 'month', (time) => time.month),
  ofTimestamp('getDayOfYear', 'day_of_year', (time) => time.dayOfYear),
  ofTimestamp('getDayOfMonth', 'day_of_month', (time) => time.dayOfMonth - 1),
  ofTimestamp('getDate', 'day_of_month_1_based', (time) => time.dayOfMonth),
  ofTimestamp('getDayOfWeek', 'day_of_week', (time) => time.dayOfWeek),
  ofBoth('getHours', 'hours', (time) => time.hours, 3_600_000_000_000n),
  ofBoth('getMinutes', 'minutes', (time) => time.minutes, 60_000_000_000n),
  ofBoth('getSeconds', 'seconds', (time) => time.seconds, 1_000_000_000n),
  ofBoth('getMilliseconds', 'milliseconds', (time) => time.milliseconds, 1_000_000n),
];

function ofTimestamp(name: string, suffix: string, part: Part): FunctionDeclaration {
  return { name, overloads: timestampOverloads(suffix, part) };
}

// Of a duration, the whole of it in that unit.
function ofBoth(name: string, suffix: string, part: Part, unit: bigint): FunctionDeclaration {
  const whole = (value: CelDuration): bigint => value.nanoseconds / unit;
  const ofDuration = memberOverload(`duration_to_${suffix}`, [[duration], int], whole);
  return { name, overloads: [...timestampOverloads(suffix, part), ofDuration] };
}

function timestampOverloads(suffix: string, part: Part): Overload[] {
  const read = (value: CelTimestamp, zone: string): CelResult => {
    const time = calendarTime(value.nanoseconds, zone);
    return time === undefined ? celError(`unknown time zone ${zone}`) : BigInt(part(time));
  };
  const inUtc = (value: CelTimestamp): CelResult => read(value, 'UTC');
  // COMPAT: cel-go names one of them in another way.
  const zoned = suffix === 'seconds' ? 'seconds_tz' : `${suffix}_with_tz`;
  return [
    memberOverload(`timestamp_to_${suffix}`, [[timestamp], int], inUtc),
    memberOverload(`timestamp_to_${zoned}`, [[timestamp, string], int], read),
  ];
}
