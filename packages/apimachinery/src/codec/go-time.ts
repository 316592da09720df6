// Reads timestamps as Go's `time.Parse` does with the two layouts of the API, with its messages and
// its leniences: an hour of one digit, and a fraction that `metav1.Time` drops.
//
//   2024-02-03T04:05:06Z  2024-02-03T04:05:06.7+01:00   RFC3339, metav1.Time
//   2024-02-03T04:05:06.000007Z                         metav1.MicroTime, exactly six digits

import { quoteGo } from '../status/field-error.ts';
import { DecodeError } from './decode-error.ts';

const timeLayout = '2006-01-02T15:04:05Z07:00';
const microTimeLayout = '2006-01-02T15:04:05.000000Z07:00';
/** Year 1: Go's zero time, which is written as null. */
const zeroTimeMs = -62_135_596_800_000;

/** The canonical text of a `metav1.Time`; undefined for the zero time. */
export function canonicalTime(text: string): string | undefined {
  const { ms } = parseTime(text, timeLayout);
  return formatUtc(ms, '');
}

/** The canonical text of a `metav1.MicroTime`; undefined for the zero time. */
export function canonicalMicroTime(text: string): string | undefined {
  const { ms, fraction } = parseTime(text, microTimeLayout);
  return formatUtc(ms, `.${fraction}`);
}

function formatUtc(ms: number, fraction: string): string | undefined {
  if (ms === zeroTimeMs && !/[1-9]/.test(fraction)) return undefined;
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, iso.length - 5)}${fraction}Z`;
}

interface ParsedTime {
  /** Whole seconds, in milliseconds since the epoch. */
  readonly ms: number;
  readonly fraction: string;
}

function parseTime(value: string, layout: string): ParsedTime {
  const cursor = new Cursor(value, layout);
  const year = cursor.year();
  cursor.literal('-');
  const month = cursor.number('01', { digits: 2, max: 12, min: 1, name: 'month' });
  cursor.literal('-');
  const day = cursor.number('02', { digits: 2, max: 99, min: 0, name: 'day' });
  cursor.literal('T');
  const hour = cursor.number('15', { digits: 1, max: 23, min: 0, name: 'hour' });
  cursor.literal(':');
  const minute = cursor.number('04', { digits: 2, max: 59, min: 0, name: 'minute' });
  cursor.literal(':');
  const second = cursor.number('05', { digits: 2, max: 59, min: 0, name: 'second' });
  const fraction = cursor.fraction(layout === microTimeLayout);
  const offset = cursor.zone();
  cursor.end();
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (day < 1 || date.getUTCDate() !== day) cursor.outOfRange('day');
  date.setUTCHours(hour, minute, second);
  return { ms: date.getTime() - offset * 60_000, fraction };
}

interface NumberForm {
  /** How many digits are needed; never more than two are taken. */
  readonly digits: 1 | 2;
  readonly min: number;
  readonly max: number;
  readonly name: string;
}

class Cursor {
  readonly #value: string;
  readonly #layout: string;
  #rest: string;

  constructor(value: string, layout: string) {
    this.#value = value;
    this.#layout = layout;
    this.#rest = value;
  }

  year(): number {
    const digits = /^\d{4}/.exec(this.#rest)?.[0];
    if (digits === undefined) return this.#mismatch('2006');
    this.#rest = this.#rest.slice(4);
    return Number(digits);
  }

  literal(wanted: string): void {
    if (!this.#rest.startsWith(wanted)) this.#mismatch(wanted);
    this.#rest = this.#rest.slice(1);
  }

  number(element: string, form: NumberForm): number {
    const digits = /^\d\d?/.exec(this.#rest)?.[0] ?? '';
    if (digits.length < form.digits) this.#mismatch(element);
    this.#rest = this.#rest.slice(digits.length);
    const value = Number(digits);
    if (value < form.min || value > form.max) this.outOfRange(form.name);
    return value;
  }

  /** Exactly six digits, or any number of them, which do not count. */
  fraction(micro: boolean): string {
    if (!micro) {
      this.#rest = this.#rest.replace(/^[.,]\d+/, '');
      return '';
    }
    const digits = /^[.,](\d{6})/.exec(this.#rest)?.[1];
    if (digits === undefined) return this.#mismatch('.000000');
    this.#rest = this.#rest.slice(7);
    return digits;
  }

  /** Minutes east of UTC. */
  zone(): number {
    if (this.#rest.startsWith('Z')) {
      this.#rest = this.#rest.slice(1);
      return 0;
    }
    const parts = /^([+-])(\d\d):(\d\d)/.exec(this.#rest);
    if (parts === null) return this.#mismatch('Z07:00');
    const hours = Number(parts[2]);
    const minutes = Number(parts[3]);
    // COMPAT: Go takes 24 and 60 here.
    if (hours > 24) this.outOfRange('time zone offset hour');
    if (minutes > 60) this.outOfRange('time zone offset minute');
    this.#rest = this.#rest.slice(6);
    return (parts[1] === '-' ? -1 : 1) * (hours * 60 + minutes);
  }

  end(): void {
    if (this.#rest !== '') this.#fail(`: extra text: ${quoteGo(this.#rest)}`);
  }

  outOfRange(name: string): never {
    return this.#fail(`: ${name} out of range`);
  }

  #mismatch(element: string): never {
    const what = `cannot parse ${quoteGo(this.#rest)} as ${quoteGo(element)}`;
    return this.#fail(` as ${quoteGo(this.#layout)}: ${what}`);
  }

  #fail(message: string): never {
    throw new DecodeError(`parsing time ${quoteGo(this.#value)}${message}`);
  }
}
