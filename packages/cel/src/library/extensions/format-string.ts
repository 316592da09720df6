/**
 * `"%s is %d".format([name, age])`, in two styles. COMPAT: up to version 3 of the strings library,
 * cel-go prints numbers as American English does (`10,000.5`, `1.5 × 10⁰³`) and nested values as in
 * an expression; from version 4 on, plainly.
 */

import { formatDuration } from '../../values/duration-text.ts';
import { celError } from '../../values/error.ts';
import { elementsOf } from '../../values/list.ts';
import { entriesOf } from '../../values/map.ts';
import { formatFixed, formatScientific, formatShortest } from '../../values/number-text.ts';
import { compareStrings } from '../../values/ordering.ts';
import { formatTimestamp } from '../../values/timestamp-text.ts';
import { typeOf } from '../../values/type-of.ts';
import type { CelList, CelMap, CelResult, CelValue } from '../../values/value.ts';
import { clauseErrors, fillFormat } from './format-clauses.ts';
import type { FormatClause } from './format-clauses.ts';

/** How values are printed. */
export type FormatStyle = 'english' | 'plain';

/** The formatted text, or an error. */
export function formatString(format: string, values: CelList, style: FormatStyle): CelResult {
  const filled = fillFormat(format, values.size, (clause, index) => {
    const value = values.get(index);
    const text = formatClause(clause, value, style);
    if (text === undefined) return { error: clauseErrors[clause.verb] + typeOf(value).name };
    return { text };
  });
  return 'error' in filled ? celError(filled.error) : filled.text;
}

const defaultPrecision = 6;

function formatClause(
  clause: FormatClause,
  value: CelValue,
  style: FormatStyle,
): string | undefined {
  const precision = clause.precision ?? defaultPrecision;
  switch (clause.verb) {
    case 's':
      return toText(value, style);
    case 'd':
      return isSymbolic(value) && style === 'plain'
        ? symbol(Number(value), style)
        : integerOf(value)?.toString();
    case 'f':
      return formatDouble(value, style, (number) => fixed(number, precision, style));
    case 'e':
      return formatDouble(value, style, (number) => scientific(number, precision, style));
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

function integerOf(value: CelValue): bigint | undefined {
  if (typeof value === 'bigint') return value;
  const isUint =
    typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'uint';
  return isUint ? value.value : undefined;
}

// Not a finite number, or the name of one that is not.
function isSymbolic(value: CelValue): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity';
}

function formatDouble(
  value: CelValue,
  style: FormatStyle,
  print: (number: number) => string,
): string | undefined {
  if (isSymbolic(value)) return symbol(Number(value), style);
  return typeof value === 'number' ? print(value) : undefined;
}

function symbol(value: number, style: FormatStyle): string {
  if (Number.isNaN(value)) return 'NaN';
  if (style === 'plain') return value > 0 ? 'Infinity' : '-Infinity';
  return value > 0 ? '∞' : '-∞';
}

function fixed(value: number, precision: number, style: FormatStyle): string {
  const text = formatFixed(value, precision);
  return style === 'plain' ? text : text.replace(/\d(?=(?:\d{3})+(?:\.|$))/g, '$&,');
}

function scientific(value: number, precision: number, style: FormatStyle): string {
  const text = formatScientific(value, precision);
  if (style === 'plain') return text;
  const [mantissa = '', exponent = '+00'] = text.split('e');
  return `${mantissa}\u202f×\u202f10${superscript(exponent)}`;
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function superscript(exponent: string): string {
  const sign = exponent.startsWith('-') ? '⁻' : '';
  return sign + Array.from(exponent.slice(1), (digit) => superscripts[Number(digit)]).join('');
}

function toHex(value: CelValue): string | undefined {
  if (typeof value === 'string') return toHex(new TextEncoder().encode(value));
  if (value instanceof Uint8Array) {
    return [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return integerOf(value)?.toString(16);
}

/** What `%s` prints; undefined for values that it does not print. */
function toText(value: CelValue, style: FormatStyle): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? formatShortest(value) : symbol(value, 'plain');
    default:
      if (value === null) return 'null';
      return value instanceof Uint8Array
        ? new TextDecoder().decode(value)
        : objectText(value, style);
  }
}

type ObjectValue = Exclude<CelValue, null | boolean | string | number | bigint | Uint8Array>;

function objectText(value: ObjectValue, style: FormatStyle): string | undefined {
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
      return listText(value, style);
    case 'map':
      return mapText(value, style);
    default:
      return undefined;
  }
}

function listText(list: CelList, style: FormatStyle): string | undefined {
  const parts: string[] = [];
  for (const element of elementsOf(list)) {
    const text = nestedText(element, style);
    if (text === undefined) return undefined;
    parts.push(text);
  }
  return `[${parts.join(', ')}]`;
}

function mapText(map: CelMap, style: FormatStyle): string | undefined {
  const parts: { readonly key: string; readonly value: string }[] = [];
  for (const [entryKey, entryValue] of entriesOf(map)) {
    const key = nestedText(entryKey, style);
    const value = nestedText(entryValue, style);
    if (key === undefined || value === undefined) return undefined;
    parts.push({ key, value });
  }
  parts.sort((left, right) => compareStrings(left.key, right.key));
  const colon = style === 'plain' ? ': ' : ':';
  return `{${parts.map(({ key, value }) => `${key}${colon}${value}`).join(', ')}}`;
}

// In the older style, what is inside of lists and maps looks as it would in an expression.
function nestedText(value: CelValue, style: FormatStyle): string | undefined {
  const text = toText(value, style);
  if (text === undefined || style === 'plain') return text;
  if (typeof value === 'string') return JSON.stringify(text);
  if (value instanceof Uint8Array) return `b${JSON.stringify(text)}`;
  if (typeof value === 'number') {
    return Number.isFinite(value) ? formatFixed(value, defaultPrecision) : JSON.stringify(text);
  }
  if (typeof value !== 'object' || value === null) return text;
  if (value.kind === 'timestamp') return `timestamp(${JSON.stringify(text)})`;
  return value.kind === 'duration' ? `duration(${JSON.stringify(text)})` : text;
}
