/**
 * Durations as text: `1h30m`, `-1.5s`, `300ms`. COMPAT: the forms are those of Go's
 * `time.ParseDuration`, and the printed form is seconds with as many decimals as needed.
 */

import { formatPlain } from './number-text.ts';
import { int64Max, int64Min } from './scalars.ts';

const unitNanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const component = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;

/** Nanoseconds, or undefined when the text is no duration or does not fit. */
export function parseDuration(text: string): bigint | undefined {
  const isNegative = text.startsWith('-');
  const body = isNegative || text.startsWith('+') ? text.slice(1) : text;
  if (body === '0') return 0n;
  if (body === '') return undefined;
  let total = 0n;
  component.lastIndex = 0;
  while (component.lastIndex < body.length) {
    const match = component.exec(body);
    if (match === null) return undefined;
    const [, whole = '', fraction, unit = ''] = match;
    if (whole === '' && (fraction === undefined || fraction === '')) return undefined;
    total += componentNanoseconds(whole, fraction ?? '', unitNanoseconds[unit] ?? 0n);
    if (total > -int64Min) return undefined;
  }
  const signed = isNegative ? -total : total;
  return signed > int64Max ? undefined : signed;
}

function componentNanoseconds(whole: string, fraction: string, unit: bigint): bigint {
  // More digits than a duration can hold decide nothing but the overflow, and fractions of a
  // nanosecond are dropped.
  const seconds = whole.length > 30 ? 10n ** 30n : BigInt(whole === '' ? '0' : whole);
  const digits = fraction.slice(0, 18);
  const part = digits === '' ? 0n : (BigInt(digits) * unit) / 10n ** BigInt(digits.length);
  return seconds * unit + part;
}

/** `3600s`, `1.5s`. COMPAT: by way of a double, so that long durations lose their nanoseconds. */
export function formatDuration(nanoseconds: bigint): string {
  const seconds = Number(nanoseconds / 1_000_000_000n);
  return `${formatPlain(seconds + Number(nanoseconds % 1_000_000_000n) / 1e9)}s`;
}

/** `.5` for half a second; nothing for none. */
export function formatFraction(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '';
  return `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
}
