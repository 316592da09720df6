// Schedules in cron format, as the CronJob controller reads them (github.com/robfig/cron, standard
// parser): five fields or a descriptor such as `@daily`, with an optional `TZ=` in front. The texts
// are those of that parser.

import { parseGoDuration } from '../go-duration.ts';
import { timeZoneProblem } from './time-zones.ts';

/** The text is not a schedule; the message is the parser's. */
export class CronError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CronError';
  }
}

/** The values of a field that match. */
export interface CronField {
  readonly values: ReadonlySet<number>;
  /** It was written as `*` or `?`: of the two fields for days only the other one counts. */
  readonly isAny: boolean;
}
export interface CronFields {
  readonly minute: CronField;
  readonly hour: CronField;
  readonly dayOfMonth: CronField;
  /** 1 is January. */
  readonly month: CronField;
  /** 0 is Sunday. */
  readonly dayOfWeek: CronField;
}
export interface ParsedSchedule {
  /** From `TZ=`; absent: the reader's. */
  readonly timeZone?: string;
  /** Either times of a calendar or, for `@every`, a distance in milliseconds. */
  readonly when: CronFields | { readonly everyMs: number };
}

interface FieldBounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const fields: readonly FieldBounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  {
    min: 1,
    max: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

const descriptors = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);
const everyPrefix = '@every ';

/** Throws CronError. */
export function parseSchedule(schedule: string): ParsedSchedule {
  if (schedule === '') throw new CronError('empty spec string');
  const zone = /^(?:CRON_)?TZ=([^ ]*)/.exec(schedule);
  if (zone === null) return { when: parseWhen(schedule) };
  const name = zone[1] ?? '';
  const problem = name === '' ? undefined : timeZoneProblem(name);
  if (problem !== undefined) throw new CronError(`provided bad location ${name}: ${problem}`);
  const when = parseWhen(schedule.slice(zone[0].length).trim());
  return { ...(name !== '' && { timeZone: name }), when };
}

function parseWhen(spec: string): ParsedSchedule['when'] {
  if (spec.startsWith(everyPrefix)) return { everyMs: parseEvery(spec) };
  if (spec.startsWith('@') && !descriptors.has(spec))
    throw new CronError(`unrecognized descriptor: ${spec}`);
  const words = (descriptors.get(spec) ?? spec).split(/\s+/u).filter((word) => word !== '');
  if (words.length !== fields.length) {
    const found = `found ${words.length}: [${words.join(' ')}]`;
    throw new CronError(`expected exactly ${fields.length} fields, ${found}`);
  }
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields.map((bounds, i) =>
    parseField(words[i] ?? '', bounds),
  );
  return { minute, hour, dayOfMonth, month, dayOfWeek } as CronFields;
}

/** Whole seconds, at least one. */
function parseEvery(spec: string): number {
  try {
    const nanos = parseGoDuration(spec.slice(everyPrefix.length));
    return Math.max(1, Math.floor(Number(nanos) / 1e9)) * 1000;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CronError(`failed to parse duration ${spec}: ${why}`);
  }
}

function parseField(field: string, bounds: FieldBounds): CronField {
  const ranges = field
    .split(',')
    .filter((expression) => expression !== '')
    .map((expression) => parseRange(expression, bounds));
  const values = ranges.flatMap(({ start, end, step }) =>
    Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => start + i * step),
  );
  return { values: new Set(values), isAny: ranges.some(({ isAny }) => isAny) };
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly isAny: boolean;
}

/** `*`, `3`, `mon-fri`, each with an optional `/step`; `3/2` goes on to the end. */
function parseRange(expression: string, bounds: FieldBounds): Range {
  const [range = '', stepText, ...moreSteps] = expression.split('/');
  const [low = '', high, ...moreHyphens] = range.split('-');
  const isStar = low === '*' || low === '?';
  let [start, end] = [bounds.min, bounds.max];
  if (!isStar) {
    start = numberOrName(low, bounds);
    if (moreHyphens.length > 0) throw new CronError(`too many hyphens: ${expression}`);
    end = high === undefined ? start : numberOrName(high, bounds);
  }
  if (moreSteps.length > 0) throw new CronError(`too many slashes: ${expression}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  if (stepText !== undefined && high === undefined) end = bounds.max;
  const problem = boundsProblem({ start, end, step, isAny: isStar }, bounds);
  if (problem !== undefined) throw new CronError(`${problem}: ${expression}`);
  return { start, end, step, isAny: isStar && step <= 1 };
}

function boundsProblem({ start, end, step }: Range, { min, max }: FieldBounds): string | undefined {
  if (start < min) return `beginning of range (${start}) below minimum (${min})`;
  if (end > max) return `end of range (${end}) above maximum (${max})`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end})`;
  return step === 0 ? 'step of range should be a positive number' : undefined;
}

function numberOrName(text: string, { min, names }: FieldBounds): number {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  return index < 0 ? parseNumber(text) : min + index;
}

function parseNumber(text: string): number {
  const failed = (why: string) =>
    new CronError(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`,
    );
  if (!/^[+-]?\d+$/.test(text)) throw failed('invalid syntax');
  const value = BigInt(text.replace(/^\+/, ''));
  if (BigInt.asIntN(64, value) !== value) throw failed('value out of range');
  if (value < 0n) throw new CronError(`negative number (${value}) not allowed: ${text}`);
  return Number(value);
}
