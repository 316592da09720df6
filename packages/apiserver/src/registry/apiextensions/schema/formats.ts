// The string formats that schemas of custom resources may use. A format that is not listed here is
// ignored (and warned about), so that definitions written for newer servers are accepted.

import { parseGoDuration, parseCidr, parseIp } from '@keelson/apimachinery';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';

export type FormatCheck = (text: string) => boolean;

const matches =
  (pattern: RegExp): FormatCheck =>
  (text) =>
    pattern.test(text);

const uuid = (third: string, fourth: string) =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${third}-?${fourth}-?[0-9a-f]{12}$`, 'i'));
const anyGroup = '[0-9a-f]{4}';
const variantGroup = '[89ab][0-9a-f]{3}';

const rgbPart = '\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*';

const checks: ReadonlyMap<string, FormatCheck> = new Map<string, FormatCheck>([
  ['bsonobjectid', matches(/^[0-9a-fA-F]{24}$/)],
  ['uri', isRequestUri],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', (text) => text.includes('.') && parseIp(text) !== undefined],
  ['ipv6', (text) => text.includes(':') && parseIp(text) !== undefined],
  ['cidr', (text) => parseCidr(text) !== undefined],
  ['mac', isMac],
  ['uuid', uuid(anyGroup, anyGroup)],
  ['uuid3', uuid('3[0-9a-f]{3}', anyGroup)],
  ['uuid4', uuid('4[0-9a-f]{3}', variantGroup)],
  ['uuid5', uuid('5[0-9a-f]{3}', variantGroup)],
  ['isbn', (text) => isIsbn10(text) || isIsbn13(text)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['creditcard', isCreditCard],
  ['ssn', matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ['hexcolor', matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ['rgbcolor', matches(new RegExp(`^rgb\\(${rgbPart},${rgbPart},${rgbPart}\\)$`))],
  [
    'byte',
    matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/),
  ],
  ['password', () => true],
  ['date', isDate],
  ['datetime', isDateTime],
  ['duration', isDuration],
  ['k8sshortname', (text) => dns1123Label(text).length === 0],
  ['k8slongname', (text) => dns1123Subdomain(text).length === 0],
]);

/** Formats of numbers; they bound the value instead of checking a text. */
const numberFormats: ReadonlySet<string> = new Set(['int32', 'int64', 'float', 'double']);

const normalize = (format: string) => format.replaceAll('-', '');

/** The check of a string format, undefined for an unknown one. Dashes in names do not count. */
export function formatCheck(format: string): FormatCheck | undefined {
  return checks.get(normalize(format));
}

/** False for formats that the server ignores. */
export function isSupportedFormat(format: string): boolean {
  const name = normalize(format);
  return checks.has(name) || numberFormats.has(name);
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= (month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);
}

function isDateTime(text: string): boolean {
  const [date, time] = text.toLowerCase().split('t');
  if (date === undefined || time === undefined || !isDate(date)) return false;
  const match = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/.exec(
    time,
  );
  return match !== null && `${match[1]}` <= '23' && `${match[2]}` <= '59' && `${match[3]}` <= '59';
}

/** Names of units; a unit may go on after its last name (`seconds` after `sec`). */
const durationUnits: readonly (readonly string[])[] = [
  ['ns', 'nano'],
  ['us', 'µs', 'micro'],
  ['ms', 'milli'],
  ['s', 'sec'],
  ['m', 'min'],
  ['h', 'hr', 'hour'],
  ['d', 'day'],
  ['w', 'wk', 'week'],
];

/** `1h30m` as Go has it, or `2 days`. */
function isDuration(text: string): boolean {
  try {
    parseGoDuration(text);
    return true;
  } catch {
    // Not Go's form; the other one is tried below.
  }
  for (const match of text.matchAll(/\d+\s*([A-Za-zµ]+)/g)) {
    const unit = (match[1] ?? '').toLowerCase();
    const known = durationUnits.some((names) =>
      names.some((name, i) => unit === name || (i === names.length - 1 && unit.startsWith(name))),
    );
    if (known) return true;
  }
  return false;
}

const word = 'a-zA-Z0-9\\p{S}\\p{L}';
const hostnamePattern = new RegExp(
  `^([${word}]((-?[${word}]{0,62})?)|([${word}](([-${word}]{0,61}[${word}])?)(\\.)){1,}([${word}])(-?[${word}]){1,62})$`,
  'u',
);

function isHostname(text: string): boolean {
  // The length first: it bounds the work of the pattern.
  if (Buffer.byteLength(text) > 255) return false;
  if (text.split('.').some((part) => Buffer.byteLength(part) > 63)) return false;
  return hostnamePattern.test(text);
}

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\u{10ffff}-]+";
const quotedLocal = '"(?:[^"\\\\\\r\\n]|\\\\[^\\r\\n])*"';
const addressSpec = `(?:${atom}(?:\\.${atom})*|${quotedLocal})@(?:${atom}(?:\\.${atom})*|\\[[^\\[\\]\\s]*\\])`;
const plainEmail = new RegExp(`^\\s*${addressSpec}\\s*$`, 'u');
const namedEmail = new RegExp(`<\\s*${addressSpec}\\s*>\\s*$`, 'u');

/** A mail address, `a@b` or `Name <a@b>`. */
function isEmail(text: string): boolean {
  // SMTP knows no longer addresses; bounds the patterns.
  if (text.length > 1000) return false;
  return plainEmail.test(text) || namedEmail.test(text);
}

function isMac(text: string): boolean {
  if (/^[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4})+$/.test(text)) return [14, 19, 49].includes(text.length);
  const colons = /^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})+$/.test(text);
  const dashes = /^[0-9a-fA-F]{2}(-[0-9a-fA-F]{2})+$/.test(text);
  return (colons || dashes) && [17, 23, 59].includes(text.length);
}

function isIsbn10(text: string): boolean {
  const digits = text.replaceAll(/[\s-]+/g, '');
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < 10; i++) sum += (digits[i] === 'X' ? 10 : Number(digits[i])) * (i + 1);
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replaceAll(/[\s-]+/g, '');
  if (!/^(?:[0-9]{13})$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < 13; i++) sum += Number(digits[i]) * (i % 2 === 0 ? 1 : 3);
  return sum % 10 === 0;
}

const cardPattern =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11}|6[27][0-9]{14})$/;

function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/[^0-9]+/g, '');
  if (!cardPattern.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = digit * 2;
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/**
 * What may stand in the request line of HTTP: a URI with a scheme, or an absolute path (Go's
 * url.ParseRequestURI).
 */
function isRequestUri(text: string): boolean {
  if (text === '' || /[\u0000-\u001f\u007f]/.test(text)) return false;
  if (text === '*') return true;
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(text)?.[0] ?? '';
  if (scheme === '' && !text.startsWith('/')) return false;
  const [rest = ''] = text.slice(scheme.length).split('?');
  if (!rest.startsWith('/')) return true;
  if (scheme !== '' && rest.startsWith('//')) {
    const authority = rest.slice(2).split('/')[0] ?? '';
    if (!isAuthority(authority)) return false;
  }
  return !/%(?![0-9a-fA-F]{2})/.test(rest);
}

function isAuthority(authority: string): boolean {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]*))?$/.exec(host);
  // Go refuses these characters in hosts unless they are escaped.
  return match !== null && !/[\s"\\^`{}|/?#@]/.test(match[1] ?? '');
}
