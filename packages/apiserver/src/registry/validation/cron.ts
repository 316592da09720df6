// Schedules in cron format, as the CronJob controller reads them (github.com/robfig/cron, standard
// parser): five fields or a descriptor such as `@daily`, with an optional `TZ=` in front. The texts
// are those of that parser.

import { parseGoDuration } from '@keelson/apimachinery';
import { timeZoneProblem } from './time-zones.ts';

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

const descriptors = new Set([
  '@yearly',
  '@annually',
  '@monthly',
  '@weekly',
  '@daily',
  '@midnight',
  '@hourly',
]);
const everyPrefix = '@every ';

/** What is wrong with the schedule; undefined when nothing is. */
export function cronProblem(schedule: string): string | undefined {
  let spec = schedule;
  if (spec === '') return 'empty spec string';
  const zone = /^(?:CRON_)?TZ=([^ ]*)/.exec(spec);
  if (zone) {
    const name = zone[1] ?? '';
    const problem = name === '' ? undefined : timeZoneProblem(name);
    if (problem !== undefined) return `provided bad location ${name}: ${problem}`;
    spec = spec.slice(zone[0].length).trim();
  }
  if (spec.startsWith('@')) return descriptorProblem(spec);
  const words = spec.split(/\s+/u).filter((word) => word !== '');
  if (words.length !== fields.length) {
    return `expected exactly ${fields.length} fields, found ${words.length}: [${words.join(' ')}]`;
  }
  for (const [i, bounds] of fields.entries()) {
    const problem = fieldProblem(words[i] ?? '', bounds);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function descriptorProblem(spec: string): string | undefined {
  if (descriptors.has(spec)) return undefined;
  if (!spec.startsWith(everyPrefix)) return `unrecognized descriptor: ${spec}`;
  try {
    parseGoDuration(spec.slice(everyPrefix.length));
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `failed to parse duration ${spec}: ${why}`;
  }
}

function fieldProblem(field: string, bounds: FieldBounds): string | undefined {
  for (const expression of field.split(',')) {
    if (expression === '') continue;
    const problem = rangeProblem(expression, bounds);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** `*`, `3`, `mon-fri`, each with an optional `/step`; `3/2` goes on to the end. */
function rangeProblem(expression: string, bounds: FieldBounds): string | undefined {
  const [range = '', stepText, ...moreSteps] = expression.split('/');
  const [low = '', high, ...moreHyphens] = range.split('-');
  let [start, end]: [number | string, number | string] = [bounds.min, bounds.max];
  if (low !== '*' && low !== '?') {
    start = numberOrName(low, bounds);
    if (typeof start === 'string') return start;
    end = start;
    if (moreHyphens.length > 0) return `too many hyphens: ${expression}`;
    if (high !== undefined) end = numberOrName(high, bounds);
    if (typeof end === 'string') return end;
  }
  let step: number | string = 1;
  if (moreSteps.length > 0) return `too many slashes: ${expression}`;
  if (stepText !== undefined) {
    step = parseNumber(stepText);
    if (typeof step === 'string') return step;
    if (high === undefined) end = bounds.max;
  }
  if (start < bounds.min) {
    return `beginning of range (${start}) below minimum (${bounds.min}): ${expression}`;
  }
  if (end > bounds.max) {
    return `end of range (${end}) above maximum (${bounds.max}): ${expression}`;
  }
  if (start > end) {
    return `beginning of range (${start}) beyond end of range (${end}): ${expression}`;
  }
  return step === 0 ? `step of range should be a positive number: ${expression}` : undefined;
}

function numberOrName(text: string, { min, names }: FieldBounds): number | string {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  return index < 0 ? parseNumber(text) : min + index;
}

/** The number, or what is wrong with it. */
function parseNumber(text: string): number | string {
  const failed = (why: string) =>
    `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`;
  if (!/^[+-]?\d+$/.test(text)) return failed('invalid syntax');
  const value = BigInt(text.replace(/^\+/, ''));
  if (BigInt.asIntN(64, value) !== value) return failed('value out of range');
  return value < 0n ? `negative number (${value}) not allowed: ${text}` : Number(value);
}
