/**
 * `"%s is %d".format([name, age])`.
 */

import { formatDuration } from '../../values/duration-text.ts';
import { celError } from '../../values/error.ts';
import { elementsOf } from '../../values/list.ts';
import { entriesOf } from '../../values/map.ts';
import { formatShortest } from '../../values/number-text.ts';
import { compareStrings } from '../../values/ordering.ts';
import { formatTimestamp } from '../../values/timestamp-text.ts';
import { typeOf } from '../../values/type-of.ts';
import type { CelList, CelMap, CelResult, CelValue } from '../../values/value.ts';
import { clauseErrors, fillFormat } from './format-clauses.ts';
import type { FormatClause } from './format-clauses.ts';

/** The formatted text, or an error. */
export function formatString(format: string, values: CelList): CelResult {
  const filled = fillFormat(format, values.size, (clause, index) => {
    const value = values.get(index);
    const text = formatClause(clause, value);
    if (text === undefined) return { error: clauseErrors[clause.verb] + typeOf(value).name };
    return { text };
  });
  return 'error' in filled ? celError(filled.error) : filled.text;
}

const defaultPrecision = 6;

function formatClause(clause: FormatClause, value: CelValue): string | undefined {
  const precision = clause.precision ?? defaultPrecision;
  switch (clause.verb) {
    case 's':
      return toText(value);
    case 'd':
      return isDouble(value) ? undefined : integerOf(value)?.toString();
    case 'f':
      return formatDouble(value, (number) => fixed(number, precision));
    case 'e':
      return formatDouble(value, (number) => scientific(number, precision));
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : integerOf(value)?.toString(2);
    case 'x':
      return toHex(value);
    case 'X':
      return toHex(value)?.toUpperCase();
    case 'o':
      return integerOf(value)?.toString(8);
  }
}

function isDouble(value: CelValue): value is number {
  return typeof value === 'number';
}

function integerOf(value: CelValue): bigint | undefined {
  if (typeof value === 'bigint') return value;
  const isUint =
    typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'uint';
  return isUint ? value.value : undefined;
}

function formatDouble(value: CelValue, print: (number: number) => string): string | undefined {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity')
    return symbol(Number(value));
  if (!isDouble(value)) return undefined;
  return Number.isFinite(value) ? print(value) : symbol(value);
}

function symbol(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '∞' : '-∞';
}

// `toFixed` rounds by the exact value, as Go does, but stops at a hundred decimals and at 1e21.
function fixed(value: number, precision: number): string {
  if (Math.abs(value) >= 1e21) {
    const whole = BigInt(value).toString();
    return precision === 0 ? whole : `${whole}.${'0'.repeat(precision)}`;
  }
  return value.toFixed(Math.min(precision, 100)) + '0'.repeat(Math.max(0, precision - 100));
}

function scientific(value: number, precision: number): string {
  const [mantissa = '', exponent = '+0'] = value.toExponential(Math.min(precision, 100)).split('e');
  const digits = mantissa + '0'.repeat(Math.max(0, precision - 100));
  return `${digits}\u202f×\u202f10${superscript(exponent)}`;
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function superscript(exponent: string): string {
  const digits = exponent.slice(1).padStart(2, '0');
  const sign = exponent.startsWith('-') ? '⁻' : '';
  return sign + [...digits].map((digit) => superscripts[Number(digit)]).join('');
}

function toHex(value: CelValue): string | undefined {
  if (typeof value === 'string') return toHex(new TextEncoder().encode(value));
  if (value instanceof Uint8Array) {
    return [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return integerOf(value)?.toString(16);
}

/** What `%s` prints; undefined for values that it does not print. */
function toText(value: CelValue): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) || Number.isNaN(value)
        ? formatShortest(value)
        : symbolText(value);
    default:
      if (value === null) return 'null';
      return value instanceof Uint8Array ? new TextDecoder().decode(value) : objectText(value);
  }
}

function symbolText(value: number): string {
  return value > 0 ? 'Infinity' : '-Infinity';
}

type ObjectValue = Exclude<CelValue, null | boolean | string | number | bigint | Uint8Array>;

function objectText(value: ObjectValue): string | undefined {
  switch (value.kind) {
    case 'uint':
      return String(value.value);
    case 'timestamp':
      return formatTimestamp(value.nanoseconds);
    case 'duration':
      return formatDuration(value.nanoseconds);
    case 'type':
      return value.type.name;
    case 'list':
      return listText(value);
    case 'map':
      return mapText(value);
    default:
      return undefined;
  }
}

function listText(list: CelList): string | undefined {
  const parts: string[] = [];
  for (const element of elementsOf(list)) {
    const text = nestedText(element);
    if (text === undefined) return undefined;
    parts.push(text);
  }
  return `[${parts.join(', ')}]`;
}

function mapText(map: CelMap): string | undefined {
  const parts: { readonly key: string; readonly value: string }[] = [];
  for (const [entryKey, entryValue] of entriesOf(map)) {
    const key = nestedText(entryKey);
    const value = nestedText(entryValue);
    if (key === undefined || value === undefined) return undefined;
    parts.push({ key, value });
  }
  parts.sort((left, right) => compareStrings(left.key, right.key));
  return `{${parts.map(({ key, value }) => `${key}:${value}`).join(', ')}}`;
}

// Inside of lists and maps, values look as they would in an expression.
function nestedText(value: CelValue): string | undefined {
  const text = toText(value);
  if (text === undefined) return undefined;
  if (typeof value === 'string') return JSON.stringify(text);
  if (value instanceof Uint8Array) return `b${JSON.stringify(text)}`;
  if (typeof value === 'number') return nestedDouble(value);
  if (typeof value !== 'object' || value === null) return text;
  if (value.kind === 'timestamp') return `timestamp(${JSON.stringify(text)})`;
  return value.kind === 'duration' ? `duration(${JSON.stringify(text)})` : text;
}

function nestedDouble(value: number): string {
  if (Number.isFinite(value)) return fixed(value, defaultPrecision);
  return JSON.stringify(Number.isNaN(value) ? 'NaN' : symbolText(value));
}
