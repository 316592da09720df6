// Wall clock times of a time zone, by the database that comes with the runtime.

export interface WallTime {
  readonly year: number;
  /** 1 is January. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

export interface TimeZone {
  /** `ms` since 1970. */
  wallTime(ms: number): WallTime;
  /** Milliseconds east of UTC at that moment. */
  offsetMs(ms: number): number;
}

/** Throws RangeError when there is no such zone. */
export function createTimeZone(name: string): TimeZone {
  const offsetMs = name === 'UTC' || name === 'Local' ? () => 0 : createOffsets(name);
  return {
    offsetMs,
    wallTime(ms) {
      const shifted = new Date(ms + offsetMs(ms));
      return {
        year: shifted.getUTCFullYear(),
        month: shifted.getUTCMonth() + 1,
        day: shifted.getUTCDate(),
        hour: shifted.getUTCHours(),
        minute: shifted.getUTCMinutes(),
        second: shifted.getUTCSeconds(),
        weekday: shifted.getUTCDay(),
      };
    },
  };
}

/** The first moment of that day; `day` may lie beyond the end of the month. */
export function startOfDay(zone: TimeZone, year: number, month: number, day: number): number {
  const wall = Date.UTC(year, month - 1, day);
  const guesses = [wall - zone.offsetMs(wall - dayMs), wall - zone.offsetMs(wall + dayMs)];
  // Where midnight comes twice the first one counts, where it is left out the moment after.
  const exact = guesses.filter((ms) => ms + zone.offsetMs(ms) === wall);
  return exact.length > 0 ? Math.min(...exact) : Math.max(...guesses);
}
const dayMs = 86_400_000;

/** RFC 3339 in seconds, with the zone's offset: `2026-03-29T03:30:00+02:00`. */
export function formatZonedTime(ms: number, timeZone: string): string {
  const offsetMs = createTimeZone(timeZone).offsetMs(ms);
  const wall = new Date(ms + offsetMs).toISOString().slice(0, 19);
  const minutes = Math.abs(Math.round(offsetMs / 60_000));
  if (minutes === 0) return `${wall}Z`;
  const two = (value: number) => String(value).padStart(2, '0');
  const sign = offsetMs < 0 ? '-' : '+';
  return `${wall}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function createOffsets(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  // Offsets change at whole quarters of an hour, so one answer serves a quarter.
  let known = { quarter: NaN, offset: 0 };
  return (ms) => {
    const quarter = Math.floor(ms / quarterMs);
    if (known.quarter === quarter) return known.offset;
    const part = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes) => part.get(type) ?? 0;
    const wall = Date.UTC(
      of('year'),
      of('month') - 1,
      of('day'),
      of('hour'),
      of('minute'),
      of('second'),
    );
    known = { quarter, offset: wall - Math.floor(ms / 1000) * 1000 };
    return known.offset;
  };
}
const quarterMs = 900_000;
