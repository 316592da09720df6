// How Go's YAML library writes a text: plain where that is read back as the same text, else quoted,
// and as a block when it has lines. And the order of its keys, in which `a9` stands before `a10`.

import { resolvePlain } from './yaml-scalars.ts';

export type ScalarTextStyle = 'plain' | 'single' | 'double' | 'literal';

/** Numbers to the base of sixty, which YAML 1.1 once had. */
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const timestamp =
  /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|[ \t]+)\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)?)?$/;
/** What cannot stand in a text but as an escape. */
const special = /[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;

export function scalarStyle(text: string, isKey: boolean): ScalarTextStyle {
  if (special.test(text)) return 'double';
  if (text.includes('\n')) return isKey || !isBlockAllowed(text) ? 'double' : 'literal';
  if (!isReadAsText(text)) return 'double';
  if (isPlainAllowed(text)) return 'plain';
  return 'single';
}

function isReadAsText(text: string): boolean {
  return resolvePlain(text).tag === 'str' && !base60.test(text) && !timestamp.test(text);
}

/** Blocks cannot show spaces before a line break or at the end. */
function isBlockAllowed(text: string): boolean {
  return !/[ ](?:\n|$)/.test(text);
}

function isPlainAllowed(text: string): boolean {
  if (/^[ ]|[ ]$/.test(text)) return false;
  if (/^(?:---|\.\.\.)/.test(text)) return false;
  if (/^[#,[\]{}&*!|>'"%@`]/.test(text)) return false;
  if (/^[-?:](?:\s|$)/.test(text)) return false;
  return !/:(?:\s|$)/.test(text) && !/\s#/.test(text);
}

/** Letters after everything else; numbers by their value. */
export function compareYamlKeys(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  const common = Math.min(left.length, right.length);
  for (let i = 0; i < common; i++) {
    if (left[i] !== right[i]) return compareFrom(left, right, i);
  }
  return left.length - right.length;
}

function compareFrom(left: readonly string[], right: readonly string[], at: number): number {
  const a = left[at] ?? '';
  const b = right[at] ?? '';
  const aLetter = /\p{L}/u.test(a);
  const bLetter = /\p{L}/u.test(b);
  if (aLetter && bLetter) return codeOf(a) - codeOf(b);
  if (aLetter || bLetter) return bLetter ? -1 : 1;
  const zeros = (a === '0' || b === '0') && followsNumber(left, at) ? '1' : '';
  const aDigits = digitsFrom(left, at);
  const bDigits = digitsFrom(right, at);
  const difference = compareNumbers(`${zeros}${aDigits}`, `${zeros}${bDigits}`);
  return difference || aDigits.length - bDigits.length || codeOf(a) - codeOf(b);
}

function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether the digits before a position are a number that has begun, not only zeros. */
function followsNumber(text: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0 && /\d/.test(text[i] ?? ''); i--) if (text[i] !== '0') return true;
  return false;
}

function digitsFrom(text: readonly string[], at: number): string {
  let digits = '';
  for (let i = at; i < text.length && /\d/.test(text[i] ?? ''); i++) digits += text[i] ?? '';
  return digits;
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
