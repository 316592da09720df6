/**
 * Timestamps as text (RFC 3339) and as parts of a calendar in a time zone.
 *
 * Zones are offsets (`+01:30`), names of the IANA database, `UTC` or nothing. The database is the
 * platform's, through `Intl`.
 */

import { formatFraction } from './duration-text.ts';

const nanosecondsPerSecond = 1_000_000_000n;

/** 0001-01-01T00:00:00Z. */
export const timestampMin: bigint = -62_135_596_800n * nanosecondsPerSecond;

/** 9999-12-31T23:59:59.999999999Z. */
export const timestampMax: bigint = 253_402_300_800n * nanosecondsPerSecond - 1n;

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** Nanoseconds since 1970, or undefined when the text is no timestamp of the years 1 to 9999. */
export function parseTimestamp(text: string): bigint | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as Six;
  if (hour > 23 || minute > 59 || second > 59 || month < 1 || month > 12) return undefined;
  if (day < 1 || day > daysInMonth(year, month)) return undefined;
  const [, , , , , , , fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match;
  if (Number(offsetHours) > 24 || Number(offsetMinutes) > 60) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -60 : 60);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const seconds = BigInt(date.getTime() / 1000 - offset);
  const nanoseconds = seconds * nanosecondsPerSecond + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return nanoseconds < timestampMin || nanoseconds > timestampMax ? undefined : nanoseconds;
}

type Six = [number, number, number, number, number, number];

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** `2024-01-02T03:04:05.5Z`. */
export function formatTimestamp(nanoseconds: bigint): string {
  const { milliseconds, rest } = split(nanoseconds);
  const text = new Date(milliseconds).toISOString().slice(0, 19);
  return `${text}${formatFraction(rest)}Z`;
}

// Whole seconds as milliseconds, and the nanoseconds above them.
function split(nanoseconds: bigint): { milliseconds: number; rest: bigint } {
  const rest = BigInt.asIntN(64, nanoseconds % nanosecondsPerSecond);
  const positive = rest < 0n ? rest + nanosecondsPerSecond : rest;
  const seconds = (nanoseconds - positive) / nanosecondsPerSecond;
  return { milliseconds: Number(seconds) * 1000, rest: positive };
}

/** A moment as a clock on the wall shows it. */
export interface CalendarTime {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  /** From 1. */
  readonly dayOfMonth: number;
  /** From 0, Sunday. */
  readonly dayOfWeek: number;
  /** From 0. */
  readonly dayOfYear: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly milliseconds: number;
}

/** The calendar of a zone at an instant; undefined when there is no such zone. */
export function calendarTime(nanoseconds: bigint, zone: string): CalendarTime | undefined {
  const { milliseconds, rest } = split(nanoseconds);
  const offset = zoneOffsetSeconds(milliseconds, zone);
  if (offset === undefined) return undefined;
  const date = new Date(milliseconds + offset * 1000);
  const year = date.getUTCFullYear();
  const newYear = new Date(0);
  newYear.setUTCFullYear(year, 0, 1);
  return {
    year,
    month: date.getUTCMonth(),
    dayOfMonth: date.getUTCDate(),
    dayOfWeek: date.getUTCDay(),
    dayOfYear: Math.floor((date.getTime() - newYear.getTime()) / 86_400_000),
    hours: date.getUTCHours(),
    minutes: date.getUTCMinutes(),
    seconds: date.getUTCSeconds(),
    milliseconds: Number(rest / 1_000_000n),
  };
}

const fixedOffset = /^([+-]?)(\d{2}):(\d{2})$/;

function zoneOffsetSeconds(milliseconds: number, zone: string): number | undefined {
  if (zone === '' || zone === 'UTC') return 0;
  const fixed = fixedOffset.exec(zone);
  if (fixed !== null) {
    const [, sign, hours, minutes] = fixed;
    return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
  }
  // `Intl` knows more spellings of offsets than the language does.
  if (zone.includes(':') || /^[+-]/.test(zone)) return undefined;
  const format = zoneFormat(zone);
  if (format === undefined) return undefined;
  return wallClockMilliseconds(format, milliseconds) / 1000 - milliseconds / 1000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

// Bounds the memory that names of zones in expressions can take; there are about six hundred.
const formatsMax = 1000;

function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formats.size < formatsMax) formats.set(zone, format);
    return format;
  } catch (error) {
    // The platform's way to say that it knows no such zone.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function wallClockMilliseconds(format: Intl.DateTimeFormat, milliseconds: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(milliseconds)) {
    if (type === 'era') parts['era'] = value.startsWith('B') ? -1 : 1;
    else if (type !== 'literal') parts[type] = Number(value);
  }
  const year = parts['era'] === -1 ? 1 - (parts['year'] ?? 1) : (parts['year'] ?? 1970);
  const date = new Date(0);
  date.setUTCFullYear(year, (parts['month'] ?? 1) - 1, parts['day'] ?? 1);
  date.setUTCHours(parts['hour'] ?? 0, parts['minute'] ?? 0, parts['second'] ?? 0);
  return date.getTime();
}
