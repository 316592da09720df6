// Semantic versions (semver.org 2.0.0): `1.2.3`, `1.2.3-rc.1+build.5`.
//
// Strict unless normalised. Normalising drops a leading `v` and leading zeros and fills up missing
// parts: `v1.02` is `1.2.0`; a shortened version cannot have a prerelease or build.
// COMPAT: texts of errors are those of the parser that kube-apiserver uses.

import { quoteText } from './quote-text.ts';

export interface SemanticVersion {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  /** Numbers compare as numbers and are less than texts. */
  readonly prerelease: readonly (bigint | string)[];
  readonly build: readonly string[];
}

/** The version, or the text of the error. */
export type ParsedVersion = SemanticVersion | { readonly error: string };

const uint64Max = 2n ** 64n - 1n;
const digits = /^[0-9]*$/;
const identifier = /^[a-zA-Z0-9-]*$/;

/** Reads a version; `normalize` accepts loose forms. */
export function parseSemanticVersion(text: string, normalize = false): ParsedVersion {
  const strict = normalize ? normalized(text) : { text };
  if ('error' in strict) return strict;
  return parseStrict(strict.text);
}

/** Negative, zero or positive by precedence; builds do not count. */
export function compareSemanticVersions(a: SemanticVersion, b: SemanticVersion): -1 | 0 | 1 {
  for (const part of ['major', 'minor', 'patch'] as const) {
    if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    if (a.prerelease.length === b.prerelease.length) return 0;
    return a.prerelease.length === 0 ? 1 : -1;
  }
  const shared = Math.min(a.prerelease.length, b.prerelease.length);
  for (let i = 0; i < shared; i++) {
    const order = comparePrerelease(a.prerelease[i] ?? 0n, b.prerelease[i] ?? 0n);
    if (order !== 0) return order;
  }
  if (a.prerelease.length === b.prerelease.length) return 0;
  return a.prerelease.length < b.prerelease.length ? -1 : 1;
}

function comparePrerelease(a: bigint | string, b: bigint | string): -1 | 0 | 1 {
  if (a === b) return 0;
  if (typeof a !== typeof b) return typeof a === 'bigint' ? -1 : 1;
  return a < b ? -1 : 1;
}

function normalized(text: string): { readonly text: string } | { readonly error: string } {
  const parts = splitThree(text.startsWith('v') ? text.slice(1) : text).map((part) => {
    if (part.length <= 1) return part;
    const rest = part.replace(/^0+/, '');
    return /^[0-9]/.test(rest) ? rest : `0${rest}`;
  });
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? '')) {
    return { error: 'short version cannot contain PreRelease/Build meta data' };
  }
  while (parts.length < 3) parts.push('0');
  return { text: parts.join('.') };
}

/** Splits at the first two dots. */
function splitThree(text: string): string[] {
  const [major = '', minor, ...rest] = text.split('.');
  if (minor === undefined) return [major];
  return rest.length === 0 ? [major, minor] : [major, minor, rest.join('.')];
}

function parseStrict(text: string): ParsedVersion {
  if (text === '') return { error: 'Version string empty' };
  const [majorText, minorText, rest] = splitThree(text);
  if (majorText === undefined || minorText === undefined || rest === undefined) {
    return { error: 'No Major.Minor.Patch elements found' };
  }
  const major = parseNumber('major', majorText);
  if (typeof major !== 'bigint') return major;
  const minor = parseNumber('minor', minorText);
  if (typeof minor !== 'bigint') return minor;
  const [beforeBuild, buildText] = cut(rest, '+');
  const [patchText, prereleaseText] = cut(beforeBuild, '-');
  const patch = parseNumber('patch', patchText);
  if (typeof patch !== 'bigint') return patch;
  const prerelease: (bigint | string)[] = [];
  for (const part of prereleaseText?.split('.') ?? []) {
    const parsed = parsePrerelease(part);
    if (typeof parsed === 'object') return parsed;
    prerelease.push(parsed);
  }
  const build = buildText?.split('.') ?? [];
  for (const part of build) {
    if (part === '') return { error: 'Build meta data is empty' };
    if (identifier.test(part)) continue;
    return { error: `Invalid character(s) found in build meta data ${quoteText(part)}` };
  }
  return { major, minor, patch, prerelease, build };
}

function cut(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function parseNumber(name: string, text: string): bigint | { readonly error: string } {
  const shown = quoteText(text);
  if (!digits.test(text)) return { error: `Invalid character(s) found in ${name} number ${shown}` };
  if (hasLeadingZero(text)) {
    const title = name.charAt(0).toUpperCase() + name.slice(1);
    return { error: `${title} number must not contain leading zeroes ${shown}` };
  }
  return parseUint64(text);
}

function hasLeadingZero(text: string): boolean {
  return text.length > 1 && text.startsWith('0');
}

function parseUint64(text: string): bigint | { readonly error: string } {
  const parsing = `strconv.ParseUint: parsing ${quoteText(text)}`;
  if (text === '') return { error: `${parsing}: invalid syntax` };
  const value = text.length > 20 ? uint64Max + 1n : BigInt(text);
  return value > uint64Max ? { error: `${parsing}: value out of range` } : value;
}

function parsePrerelease(text: string): bigint | string | { readonly error: string } {
  if (text === '') return { error: 'Prerelease is empty' };
  const shown = quoteText(text);
  if (digits.test(text)) {
    if (!hasLeadingZero(text)) return parseUint64(text);
    return { error: `Numeric PreRelease version must not contain leading zeroes ${shown}` };
  }
  if (identifier.test(text)) return text;
  return { error: `Invalid character(s) found in prerelease ${shown}` };
}
