// When a schedule is due next, as github.com/robfig/cron tells it. Where clocks are set forward, a
// time that is left out is not run; where they are set back, a time that comes twice is run twice.

import { parseSchedule, type CronField, type CronFields } from './parse-schedule.ts';
import { createTimeZone, startOfDay, type TimeZone, type WallTime } from './zoned-time.ts';

export interface CronSchedule {
  /** The first time after `ms`, both in milliseconds since 1970; undefined when there is none. */
  next(ms: number): number | undefined;
  /** The distance of an `@every`; undefined for times of the calendar. */
  readonly everyMs?: number;
}

/** Years to look ahead; COMPAT: a 29th of February that is further away is never. */
const yearsMax = 5;
const [secondMs, minuteMs, hourMs] = [1_000, 60_000, 3_600_000];

/** Throws CronError. A `TZ=` in the text comes before `timeZone`. */
export function createCronSchedule(text: string, timeZone = 'UTC'): CronSchedule {
  const parsed = parseSchedule(text);
  const { when } = parsed;
  if ('everyMs' in when) {
    const { everyMs } = when;
    return { everyMs, next: (ms) => Math.floor(ms / secondMs) * secondMs + everyMs };
  }
  const zone = createTimeZone(parsed.timeZone ?? timeZone);
  return { next: (ms) => nextOfCalendar(when, zone, ms) };
}

function nextOfCalendar(fields: CronFields, zone: TimeZone, after: number): number | undefined {
  const { month, hour, minute } = fields;
  const yearMax = zone.wallTime(after).year + yearsMax;
  let ms = Math.floor(after / minuteMs) * minuteMs + minuteMs;
  for (;;) {
    const wall = zone.wallTime(ms);
    if (wall.year > yearMax) return undefined;
    const { year, month: now, day } = wall;
    if (!month.values.has(now)) ms = Math.max(ms + minuteMs, startOfDay(zone, year, now + 1, 1));
    else if (!isDay(fields, wall))
      ms = Math.max(ms + minuteMs, startOfDay(zone, year, now, day + 1));
    else if (!hour.values.has(wall.hour)) ms += hourMs - wall.minute * minuteMs;
    else if (minute.values.has(wall.minute)) return ms;
    else ms += minuteMs;
  }
}

/** With both fields for days given, one of them is enough. */
function isDay({ dayOfMonth, dayOfWeek }: CronFields, { day, weekday }: WallTime): boolean {
  const matches = (field: CronField, value: number) => field.values.has(value);
  const [byDate, byWeekday] = [matches(dayOfMonth, day), matches(dayOfWeek, weekday)];
  return dayOfMonth.isAny || dayOfWeek.isAny ? byDate && byWeekday : byDate || byWeekday;
}
