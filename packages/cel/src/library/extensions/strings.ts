/**
 * Strings: `charAt`, `indexOf`, `join`, `lastIndexOf`, `lowerAscii`, `replace`, `split`,
 * `substring`, `trim`, `upperAscii` (version 0), `format` and `strings.quote` (1), `reverse` (3).
 * Version 4 prints plainly. Positions count code points.
 */

import { celTypes, listType } from '../../types/type.ts';
import { codePointCount, codePointIndex, codePointOffset } from '../../values/code-points.ts';
import { celError, noSuchOverload } from '../../values/error.ts';
import { celList, elementsOf } from '../../values/list.ts';
import type { CelList, CelResult } from '../../values/value.ts';
import { declareFunction, globalOverload, memberOverload } from '../library.ts';
import type { FunctionDeclaration, Library } from '../library.ts';
import { formatString } from './format-string.ts';
import type { FormatStyle } from './format-string.ts';
import { formatValidator } from './validate-formats.ts';

const { dyn, int, string } = celTypes;
const strings = listType(string);

/** Versions as cel-go counts them. */
export type StringsVersion = 0 | 1 | 2 | 3 | 4;

/** The functions of a version and those before it. */
export function stringsLibrary(version: StringsVersion = 4): Library {
  return {
    name: 'cel.ext.strings',
    functions: [
      ...basicFunctions,
      ...(version >= 1 ? formatFunctions(version >= 4 ? 'plain' : 'english') : []),
      ...(version >= 3 ? [reverseFunction] : []),
    ],
    ...(version >= 1 && { validators: [formatValidator(version >= 4 ? 'plain' : 'english')] }),
  };
}

function outOfRange(index: bigint): CelResult {
  return celError(`index out of range: ${index}`);
}

function charAt(text: string, index: bigint): CelResult {
  if (index < 0n || index > codePointCount(text)) return outOfRange(index);
  const offset = codePointOffset(text, Number(index));
  const codePoint = text.codePointAt(offset);
  return codePoint === undefined ? '' : String.fromCodePoint(codePoint);
}

function indexOf(text: string, part: string, from: bigint): CelResult {
  if (part === '') return from;
  if (from < 0n || from >= codePointCount(text)) return outOfRange(from);
  return toIndex(text, text.indexOf(part, codePointOffset(text, Number(from))));
}

function lastIndexOf(text: string, part: string, from: bigint): CelResult {
  if (part === '') return from;
  if (from < 0n || from >= codePointCount(text)) return outOfRange(from);
  return toIndex(text, text.lastIndexOf(part, codePointOffset(text, Number(from))));
}

function toIndex(text: string, offset: number): bigint {
  return offset < 0 ? -1n : BigInt(codePointIndex(text, offset));
}

function join(list: CelList, separator: string): CelResult {
  const parts: string[] = [];
  for (const element of elementsOf(list)) {
    if (typeof element !== 'string') return noSuchOverload;
    parts.push(element);
  }
  return parts.join(separator);
}

// A negative count means all, as in Go.
function replace(text: string, [from, to]: readonly [string, string], count: bigint): string {
  if (count < 0n) return text.replaceAll(from, () => to);
  const pieces = from === '' ? ['', ...text] : text.split(from);
  const replaced = Math.min(Number(count), from === '' ? pieces.length : pieces.length - 1);
  if (from === '') {
    return pieces.map((piece, index) => piece + (index < replaced ? to : '')).join('');
  }
  const rest = pieces.slice(replaced).join(from);
  return [...pieces.slice(0, replaced), rest].join(to);
}

function split(text: string, separator: string, count: bigint): CelList {
  if (count === 0n) return celList([]);
  const pieces = separator === '' ? [...text] : text.split(separator);
  if (count < 0n || pieces.length <= count) return celList(pieces);
  const last = Number(count) - 1;
  return celList([...pieces.slice(0, last), pieces.slice(last).join(separator)]);
}

function substring(text: string, start: bigint, end: bigint): CelResult {
  const length = codePointCount(text);
  if (start > end) return celError(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0n || start > length) return outOfRange(start);
  if (end > length) return outOfRange(end);
  return text.slice(codePointOffset(text, Number(start)), codePointOffset(text, Number(end)));
}

function substringFrom(text: string, start: bigint): CelResult {
  if (start < 0n || start > codePointCount(text)) return outOfRange(start);
  return text.slice(codePointOffset(text, Number(start)));
}

const basicFunctions: readonly FunctionDeclaration[] = [
  declareFunction('charAt', memberOverload('string_char_at_int', [[string, int], string], charAt)),
  declareFunction(
    'indexOf',
    memberOverload(
      'string_index_of_string',
      [[string, string], int],
      (text: string, part: string) => toIndex(text, text.indexOf(part)),
    ),
    memberOverload('string_index_of_string_int', [[string, string, int], int], indexOf),
  ),
  declareFunction(
    'join',
    memberOverload('list_join', [[strings], string], (list: CelList) => join(list, '')),
    memberOverload('list_join_string', [[strings, string], string], join),
  ),
  declareFunction(
    'lastIndexOf',
    memberOverload(
      'string_last_index_of_string',
      [[string, string], int],
      (text: string, part: string) => toIndex(text, text.lastIndexOf(part)),
    ),
    memberOverload('string_last_index_of_string_int', [[string, string, int], int], lastIndexOf),
  ),
  declareFunction(
    'lowerAscii',
    memberOverload('string_lower_ascii', [[string], string], (text: string) =>
      text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()),
    ),
  ),
  declareFunction(
    'upperAscii',
    memberOverload('string_upper_ascii', [[string], string], (text: string) =>
      text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()),
    ),
  ),
  declareFunction(
    'replace',
    memberOverload(
      'string_replace_string_string',
      [[string, string, string], string],
      (text: string, from: string, to: string) => replace(text, [from, to], -1n),
    ),
    memberOverload(
      'string_replace_string_string_int',
      [[string, string, string, int], string],
      (text: string, ...[from, to, count]: [string, string, bigint]) =>
        replace(text, [from, to], count),
    ),
  ),
  declareFunction(
    'split',
    memberOverload('string_split_string', [[string, string], strings], (text: string, by: string) =>
      split(text, by, -1n),
    ),
    memberOverload('string_split_string_int', [[string, string, int], strings], split),
  ),
  declareFunction(
    'substring',
    memberOverload('string_substring_int', [[string, int], string], substringFrom),
    memberOverload('string_substring_int_int', [[string, int, int], string], substring),
  ),
  declareFunction(
    'trim',
    memberOverload('string_trim', [[string], string], (text: string) => text.replace(blank, '')),
  ),
];

// Unicode's white space, which is not JavaScript's: with U+0085, without U+FEFF.
const blank = /^[\p{White_Space}]+|[\p{White_Space}]+$/gu;

function formatFunctions(style: FormatStyle): FunctionDeclaration[] {
  const format = (text: string, values: CelList): CelResult => formatString(text, values, style);
  return [
    declareFunction(
      'format',
      memberOverload('string_format', [[string, listType(dyn)], string], format),
    ),
    declareFunction('strings.quote', globalOverload('strings_quote', [[string], string], quote)),
  ];
}

const reverseFunction = declareFunction(
  'reverse',
  memberOverload('string_reverse', [[string], string], (text: string) =>
    [...text].reverse().join(''),
  ),
);

const escapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

function quote(text: string): string {
  let quoted = '';
  for (const character of text.toWellFormed()) quoted += escapes[character] ?? character;
  return `"${quoted}"`;
}
