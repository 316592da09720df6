// Quantities as expressions use them: `1`, `1.5Gi`, `100m`, `2e3`. Exact decimals with the operations
// of the Quantity library; writing them is not needed.
//
// COMPAT: `isInteger` follows how Kubernetes holds a quantity, not its value: `1.0` and `1.5Gi` are
// not held as whole numbers, so they are no integers.

/** `unscaled * 10^exponent`. */
export interface Quantity {
  readonly unscaled: bigint;
  readonly exponent: number;
  /** Whether it is held in 64 bits; only such quantities can be integers. */
  readonly isSmall: boolean;
}

interface Failure {
  readonly error: string;
}

const formatWrong =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixWrong = "unable to parse quantity's suffix";

const decimalSuffixes: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const binarySuffixes: readonly string[] = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

const nano = -9;
const [int64Min, int64Max] = [-(2n ** 63n), 2n ** 63n - 1n];
/** Longer texts and exponents are refused: arithmetic on them would cost more than they are worth. */
const textLengthMax = 1024;
const exponentMax = 4096;

/** The quantity, or the text of the error. */
export function parseQuantity(text: string): Quantity | Failure {
  const parts = /^([+-]?)([0-9]*)(\.?)([0-9]*)([eEinumkKMGTP]*[-+]?[0-9]*)$/.exec(text);
  if (text === '' || parts === null || text.length > textLengthMax) return { error: formatWrong };
  const [, sign = '', whole = '', , fraction = '', suffixText = ''] = parts;
  const suffix = parseSuffix(suffixText);
  if (suffix === undefined) return { error: suffixWrong };
  // COMPAT: where no digit stands, Kubernetes reads zero: `.5`, and even `m`.
  const negative = sign === '-';
  return (
    parseSmall({ whole: whole.replace(/^0+/, '') || '0', fraction, negative }, suffix) ??
    parseLarge(`${whole}${fraction}`, fraction.length, { ...suffix, negative })
  );
}

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
}

function parseSuffix(text: string): Suffix | undefined {
  const decimal = decimalSuffixes.get(text);
  if (decimal !== undefined) return { base: 10, exponent: decimal };
  const binary = binarySuffixes.indexOf(text);
  if (binary >= 0) return { base: 2, exponent: (binary + 1) * 10 };
  const scientific = /^[eE]([-+]?[0-9]+)$/.exec(text)?.[1];
  const exponent = Number(scientific);
  if (scientific === undefined || Math.abs(exponent) > exponentMax) return undefined;
  return { base: 10, exponent };
}

interface Digits {
  readonly whole: string;
  readonly fraction: string;
  readonly negative: boolean;
}

/** The form that Kubernetes holds in 64 bits, if it takes it for this text. */
function parseSmall({ whole, fraction, negative }: Digits, suffix: Suffix): Quantity | undefined {
  const { base, exponent } = suffix;
  if (base === 2 && fraction !== '') return undefined;
  const digitsMax = base === 10 ? 18 : 14 - Math.trunc((exponent * 3) / 10);
  if (whole.length + fraction.length > digitsMax) return undefined;
  const scale = base === 10 ? exponent - fraction.length : 0;
  if (scale < nano) return undefined;
  const value = BigInt(whole + fraction) * (base === 2 ? 2n ** BigInt(exponent) : 1n);
  if (value > int64Max) return undefined;
  return { unscaled: negative ? -value : value, exponent: scale, isSmall: true };
}

interface Scaling extends Suffix {
  readonly negative: boolean;
}

function parseLarge(digits: string, places: number, scaling: Scaling): Quantity {
  const { base, exponent, negative } = scaling;
  const scaled = BigInt(digits) * (base === 2 ? 2n ** BigInt(exponent) : 1n);
  const scale = (base === 10 ? exponent : 0) - places;
  let held = scale >= nano ? { unscaled: scaled, exponent: scale } : roundedUp(scaled, scale);
  if (base === 2 && compareParts(held, { unscaled: int64Max, exponent: 0 }) > 0) {
    held = { unscaled: int64Max, exponent: 0 };
  }
  return { ...held, unscaled: negative ? -held.unscaled : held.unscaled, isSmall: false };
}

/** Rounded away from zero to whole nanos. */
function roundedUp(unscaled: bigint, scale: number): Parts {
  const divisor = 10n ** BigInt(nano - scale);
  return { unscaled: (unscaled + divisor - 1n) / divisor, exponent: nano };
}

type Parts = Pick<Quantity, 'unscaled' | 'exponent'>;

function aligned(a: Parts, b: Parts): [a: bigint, b: bigint, exponent: number] {
  const exponent = Math.min(a.exponent, b.exponent);
  const raise = (q: Parts) => q.unscaled * 10n ** BigInt(q.exponent - exponent);
  return [raise(a), raise(b), exponent];
}

function compareParts(a: Parts, b: Parts): -1 | 0 | 1 {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  return compareParts(a, b);
}

export function quantityOfInteger(value: bigint): Quantity {
  return { unscaled: value, exponent: 0, isSmall: true };
}

export function addQuantities(a: Quantity, b: Quantity): Quantity {
  if (a.isSmall && b.isSmall) {
    if (b.unscaled === 0n) return a;
    if (a.unscaled === 0n) return b;
  }
  const [x, y, exponent] = aligned(a, b);
  const isSmall = a.isSmall && b.isSmall && [x, y, x + y].every(isInt64);
  return { unscaled: x + y, exponent, isSmall };
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, { ...b, unscaled: -b.unscaled });
}

export function signOfQuantity({ unscaled }: Quantity): -1n | 0n | 1n {
  return unscaled === 0n ? 0n : unscaled < 0n ? -1n : 1n;
}

/** The integer that the quantity is held as, if it is. */
export function integerOf({ unscaled, exponent, isSmall }: Quantity): bigint | undefined {
  if (!isSmall || exponent < 0) return undefined;
  if (exponent > 18 && unscaled !== 0n) return undefined;
  const value = unscaled === 0n ? 0n : unscaled * 10n ** BigInt(exponent);
  return isInt64(value) ? value : undefined;
}

/** The nearest double, within rounding. */
export function approximateFloat({ unscaled, exponent }: Quantity): number {
  const base = Number(unscaled);
  return exponent === 0 ? base : base * Number(`1e${exponent}`);
}

function isInt64(value: bigint): boolean {
  return value >= int64Min && value <= int64Max;
}
