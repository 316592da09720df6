// Exact `resource.Quantity`: a decimal integer times a power of ten, with the notation in which it
// was given (DecimalSI `100m`, BinarySI `1Gi`, DecimalExponent `1e3`).
//
// Accepted: `<sign><digits>[.<digits>]<suffix>`, suffix one of n u m "" k M G T P E, Ki Mi Gi Ti Pi
// Ei, or e<n> / E<n>. Values finer than one nano are rounded away from zero; binary values are
// capped at 2^63-1.
// COMPAT: Kubernetes keeps the text of some values that are not quite canonical (`1.500`, `+1`,
// `01Ki`), because its parser takes them for canonical; so does `canonicalQuantity`.

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** `unscaled * 10^exponent`; immutable. */
export interface Quantity {
  readonly unscaled: bigint;
  readonly exponent: number;
  readonly format: QuantityFormat;
  /** The text as given, when Kubernetes would write it back unchanged. */
  readonly text?: string;
}

/** Powers of ten that `scaledValue` and `roundUpQuantity` take. */
export const quantityScale = { nano: -9, micro: -6, milli: -3, unit: 0, kilo: 3, mega: 6 } as const;

/** The text is not a quantity; the message is Kubernetes'. */
export class QuantityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QuantityError';
  }
}

const formatWrong =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixWrong = "unable to parse quantity's suffix";
const numericWrong = 'unable to parse numeric part of quantity';

const decimalSuffixes = new Map([
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
const decimalSuffixByExponent = new Map([...decimalSuffixes].map(([s, e]) => [e, s]));
/** By power of 1024. */
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const binaryMax = 2n ** 63n - 1n;
/** What fits an int64 mantissa without looking: 18 decimal digits. */
const fastDigitsMax = 18;
const nano = -9;
/** Longer texts are refused: arithmetic on them would cost more than any quantity is worth. */
const textLengthMax = 1024;
/** Beyond this distance the smaller operand cannot matter; it also bounds the work. */
const alignDigitsMax = 4096;

/** Parses the text form, or throws `QuantityError`. Surrounding space is not accepted. */
export function parseQuantity(text: string): Quantity {
  if (text === '') throw new QuantityError(formatWrong);
  const parts = splitQuantity(text);
  const suffix = interpretSuffix(parts.suffix);
  const fast = parseFast(text, parts, suffix);
  if (fast) return fast;
  return parseSlow(parts, suffix);
}

/**
 * The text that the API writes for a quantity given as JSON string or number, or throws
 * `QuantityError`. Space around the text is dropped, as in Kubernetes' decoder.
 */
export function canonicalQuantity(input: string | number | bigint): string {
  const text = typeof input === 'string' ? input : String(input);
  if (isObviouslyCanonical(text)) return text;
  return formatQuantity(parseQuantity(trimGoSpace(text)));
}

/** The canonical text; for a parsed quantity the given text where Kubernetes keeps it. */
export function formatQuantity(q: Quantity): string {
  if (q.text !== undefined) return q.text;
  if (q.unscaled === 0n) return '0';
  if (q.format === 'BinarySI') {
    const whole = wholeValue(q);
    if (whole !== undefined && (whole <= -1024n || whole >= 1024n)) return formatBinary(whole);
  }
  return formatDecimal(q, q.format === 'DecimalExponent');
}

export function createQuantity(
  unscaled: bigint | number,
  format: QuantityFormat = 'DecimalSI',
  exponent = 0,
): Quantity {
  return { unscaled: BigInt(unscaled), exponent, format };
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  const signA = signOf(a);
  const signB = signOf(b);
  if (signA !== signB) return signA < signB ? -1 : 1;
  if (signA === 0) return 0;
  const gap = magnitude(a) - magnitude(b);
  if (gap !== 0) return gap > 0 === signA > 0 ? 1 : -1;
  const [x, y] = align(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function signOf(q: Quantity): -1 | 0 | 1 {
  return q.unscaled === 0n ? 0 : q.unscaled < 0n ? -1 : 1;
}

/** The sum, in the notation of `a`, or of `b` when `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const format = a.unscaled === 0n ? b.format : a.format;
  if (a.unscaled === 0n) return { ...b, text: undefined };
  if (b.unscaled === 0n) return { ...a, text: undefined };
  const gap = magnitude(a) - magnitude(b);
  if (Math.abs(gap) > alignDigitsMax) return { ...(gap > 0 ? a : b), format, text: undefined };
  const [x, y, exponent] = align(a, b);
  return { unscaled: x + y, exponent, format };
}

/** The difference, in the notation of `a`, or of `b` when `a` is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, negateQuantity(b));
}

export function negateQuantity(q: Quantity): Quantity {
  return { unscaled: -q.unscaled, exponent: q.exponent, format: q.format };
}

export function multiplyQuantity(q: Quantity, factor: bigint | number): Quantity {
  return { unscaled: q.unscaled * BigInt(factor), exponent: q.exponent, format: q.format };
}

/** The quantity rounded away from zero to a multiple of `10^scale`; itself when it is one. */
export function roundUpQuantity(q: Quantity, scale: number): Quantity {
  if (q.exponent >= scale) return q;
  return { unscaled: scaledValue(q, scale), exponent: scale, format: q.format };
}

/** The value in units of `10^scale`, rounded away from zero. Not limited to int64. */
export function scaledValue(q: Quantity, scale: number): bigint {
  const shift = q.exponent - scale;
  if (q.unscaled === 0n) return 0n;
  if (shift >= 0) return q.unscaled * pow10(Math.min(shift, alignDigitsMax));
  if (-shift > digitCount(q.unscaled)) return q.unscaled < 0n ? -1n : 1n;
  return divideUp(q.unscaled, pow10(-shift));
}

/** Whole units, rounded up: `1500m` is 2. */
export function quantityValue(q: Quantity): bigint {
  return scaledValue(q, 0);
}
/** Thousandths, rounded up: `1.5` is 1500. */
export function quantityMilliValue(q: Quantity): bigint {
  return scaledValue(q, -3);
}
/** The nearest floating point number; may lose precision, infinite when too large. */
export function quantityToNumber(q: Quantity): number {
  return Number(`${q.unscaled}e${q.exponent}`);
}

interface QuantityParts {
  readonly negative: boolean;
  /** Digits before the point without leading zeros, `0` when there are none. */
  readonly whole: string;
  readonly fraction: string;
  readonly suffix: string;
}

const suffixLetters = 'eEinumkKMGTP';

function splitQuantity(text: string): QuantityParts {
  if (text.length > textLengthMax) throw new QuantityError(numericWrong);
  const signed = text[0] === '-' || text[0] === '+';
  let at = skip(text, signed ? 1 : 0, isZero);
  const wholeStart = at;
  at = skip(text, at, isDigit);
  const whole = text.slice(wholeStart, at) || '0';
  let fraction = '';
  if (text[at] === '.') {
    const end = skip(text, at + 1, isDigit);
    fraction = text.slice(at + 1, end);
    at = end;
  }
  const suffix = text.slice(at);
  at = skip(text, at, (ch) => suffixLetters.includes(ch));
  if (text[at] === '-' || text[at] === '+') at++;
  if (skip(text, at, isDigit) < text.length) throw new QuantityError(formatWrong);
  return { negative: text[0] === '-', whole, fraction, suffix };
}

const isZero = (ch: string) => ch === '0';
const isDigit = (ch: string) => ch >= '0' && ch <= '9';
function skip(text: string, from: number, accept: (ch: string) => boolean): number {
  let at = from;
  while (at < text.length && accept(text[at] ?? '')) at++;
  return at;
}

interface Suffix {
  readonly format: QuantityFormat;
  /** Power of ten, or of two for BinarySI. */
  readonly exponent: number;
}

function interpretSuffix(suffix: string): Suffix {
  const decimal = decimalSuffixes.get(suffix);
  if (decimal !== undefined) return { format: 'DecimalSI', exponent: decimal };
  const binary = binarySuffixes.indexOf(suffix);
  if (binary > 0) return { format: 'BinarySI', exponent: binary * 10 };
  if (!/^[eE][-+]?[0-9]+$/.test(suffix)) throw new QuantityError(suffixWrong);
  const exponent = BigInt(suffix.slice(suffix[1] === '+' ? 2 : 1));
  if (BigInt.asIntN(64, exponent) !== exponent) throw new QuantityError(suffixWrong);
  // COMPAT: the exponent is cut to 32 bits.
  return { format: 'DecimalExponent', exponent: Number(BigInt.asIntN(32, exponent)) };
}

/** Values whose mantissa surely fits an int64; they alone may keep their text. */
function parseFast(text: string, parts: QuantityParts, suffix: Suffix): Quantity | undefined {
  const { whole, fraction } = parts;
  const digits = whole + fraction;
  const sign = parts.negative ? -1n : 1n;
  if (suffix.format === 'BinarySI') {
    const room = 14 - whole.length - Math.trunc((suffix.exponent * 3) / 10);
    if (fraction !== '' || room < 0) return undefined;
    const mantissa = BigInt(whole);
    const kept = (mantissa & 7n) !== 0n ? text : undefined;
    const unscaled = sign * (mantissa << BigInt(suffix.exponent));
    return { unscaled, exponent: 0, format: 'BinarySI', text: kept };
  }
  const exponent = suffix.exponent - fraction.length;
  if (digits.length > fastDigitsMax || exponent < nano) return undefined;
  const kept = exponent % 3 === 0 && !digits.endsWith('000') && digits[0] !== '0';
  return {
    unscaled: sign * BigInt(digits),
    exponent,
    format: suffix.format,
    text: kept ? text : undefined,
  };
}

function parseSlow(parts: QuantityParts, suffix: Suffix): Quantity {
  let { format } = suffix;
  let unscaled = BigInt(parts.whole + parts.fraction);
  let exponent = -parts.fraction.length;
  if (format === 'BinarySI') unscaled <<= BigInt(suffix.exponent);
  else exponent += suffix.exponent;
  if (unscaled === 0n) exponent = 0;
  if (exponent < nano) {
    unscaled = scaledValue({ unscaled, exponent, format }, nano);
    exponent = nano;
  }
  if (!Number.isSafeInteger(exponent)) throw new QuantityError(numericWrong);
  if (format === 'BinarySI' && scaledValue({ unscaled, exponent, format }, 0) > binaryMax) {
    unscaled = binaryMax;
    exponent = 0;
  }
  const belowOne = unscaled > 0n && exponent < 0 && unscaled < pow10(-exponent);
  if (format === 'BinarySI' && belowOne) format = 'DecimalSI';
  return { unscaled: parts.negative ? -unscaled : unscaled, exponent, format };
}

/** The forms that make up nearly all traffic: `100m`, `8Gi`, `2`. Never wrong, may say no. */
function isObviouslyCanonical(text: string): boolean {
  const m = /^([1-9][0-9]{0,7})(m|k|M|G|[KMG]i)?$/.exec(text);
  if (!m) return text === '0';
  const digits = m[1] ?? '';
  return m[2]?.length === 2
    ? (Number(digits) & 7) !== 0 && digits.length <= 5
    : !digits.endsWith('000');
}

function formatDecimal(q: Quantity, asExponent: boolean): string {
  let digits = q.unscaled.toString();
  const zeros = digits.length - digits.replace(/0+$/, '').length;
  digits = digits.slice(0, digits.length - zeros);
  let exponent = q.exponent + zeros;
  const excess = ((exponent % 3) + 3) % 3;
  digits += '0'.repeat(excess);
  exponent -= excess;
  if (exponent === 0) return digits;
  const suffix = asExponent ? undefined : decimalSuffixByExponent.get(exponent);
  // Beyond E there is no suffix, so the exponent form keeps the value.
  return digits + (suffix ?? `e${exponent}`);
}

function formatBinary(value: bigint): string {
  let rest = value;
  let power = 0;
  while (power < binarySuffixes.length - 1 && rest % 1024n === 0n) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${binarySuffixes[power] ?? ''}`;
}

/** The value as an integer when it is one. */
function wholeValue(q: Quantity): bigint | undefined {
  if (q.exponent >= 0) return scaledValue(q, 0);
  const unit = pow10(-q.exponent);
  return q.unscaled % unit === 0n ? q.unscaled / unit : undefined;
}

function align(a: Quantity, b: Quantity): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [
    a.unscaled * pow10(a.exponent - exponent),
    b.unscaled * pow10(b.exponent - exponent),
    exponent,
  ];
}

/** Position of the leading digit: values of different magnitude need no exact comparison. */
function magnitude(q: Quantity): number {
  return digitCount(q.unscaled) + q.exponent;
}
function digitCount(n: bigint): number {
  return (n < 0n ? -n : n).toString().length;
}
function pow10(n: number): bigint {
  return 10n ** BigInt(n);
}
function divideUp(n: bigint, d: bigint): bigint {
  const q = n / d;
  return q * d === n ? q : n < 0n ? q - 1n : q + 1n;
}
/** Go's `strings.TrimSpace`. */
function trimGoSpace(text: string): string {
  return text.replace(/^[\p{White_Space}]+|[\p{White_Space}]+$/gu, '');
}
