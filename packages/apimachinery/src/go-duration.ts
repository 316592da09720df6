// Durations as Go writes them (`1h2m3.5s`, `300ms`) and the ages that tables show (`5m3s`, `2d3h`).
// A duration is a count of nanoseconds (int64), held as bigint because a year has more of them
// than a `number` counts exactly.

/** The text is not a Go duration; the message is that of `time.ParseDuration`. */
export class DurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DurationError';
  }
}

const nanosPerUnit = new Map<string, bigint>([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);
const int64Max = 2n ** 63n - 1n;

/** Nanoseconds of `1h`, `-1.5s`, `1h15m30.918ms`, `0`; throws `DurationError` otherwise. */
export function parseGoDuration(text: string): bigint {
  const invalid = () => new DurationError(`time: invalid duration ${quote(text)}`);
  const negative = text.startsWith('-');
  let rest = negative || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') throw invalid();
  let total = 0n;
  while (rest !== '') {
    const m = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/.exec(rest);
    const [all, whole = '', fraction = '', unit = ''] = m ?? [''];
    if (whole === '' && fraction === '') throw invalid();
    if (unit === '') throw new DurationError(`time: missing unit in duration ${quote(text)}`);
    const nanos = nanosPerUnit.get(unit);
    if (nanos === undefined) {
      throw new DurationError(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`);
    }
    // Digits below a nanosecond cannot matter; cutting them bounds the work.
    const digits = fraction.slice(0, 20);
    total += BigInt(whole.length > 20 ? '9'.repeat(20) : whole || '0') * nanos;
    if (digits !== '') total += (BigInt(digits) * nanos) / 10n ** BigInt(digits.length);
    if (total > int64Max + (negative ? 1n : 0n)) throw invalid();
    rest = rest.slice(all.length);
  }
  return negative ? -total : total;
}

/** Go's `Duration.String`: `72h3m0.5s`, `1.5ms`, `0s`. */
export function formatGoDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const sign = nanos < 0n ? '-' : '';
  const abs = nanos < 0n ? -nanos : nanos;
  if (abs < 1_000n) return `${sign}${abs}ns`;
  if (abs < 1_000_000n) return `${sign}${fixed(abs, 3)}µs`;
  if (abs < 1_000_000_000n) return `${sign}${fixed(abs, 6)}ms`;
  const minutes = abs / 60_000_000_000n;
  const seconds = `${fixed(abs % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return hours === 0n
    ? `${sign}${minutes}m${seconds}`
    : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

/** The canonical text of a duration given as text, or throws `DurationError`. */
export function canonicalGoDuration(text: string): string {
  return formatGoDuration(parseGoDuration(text));
}

/**
 * An age as `kubectl get` shows it: two or three significant digits and at most two units (`45s`,
 * `5m3s`, `7h15m`, `2d3h`, `400d`, `2y30d`). Clock skew below two seconds counts as `0s`, more
 * gives `<invalid>`.
 */
export function formatHumanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return withRest(`${minutes}m`, seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return withRest(`${hours}h`, minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return withRest(`${days}d`, hours % 24, 'h');
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (hours < 24 * 365 * 8) return withRest(`${years}y`, days % 365, 'd');
  return `${years}y`;
}

/** The short form with one unit: `45s`, `5m`, `7h`, `2d`, `2y`. */
export function formatShortHumanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 24) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  return days < 365 ? `${days}d` : `${Math.trunc(days / 365)}y`;
}

function withRest(head: string, rest: number, unit: string): string {
  return rest === 0 ? head : `${head}${rest}${unit}`;
}

/** `n / 10^places` without trailing zeros. */
function fixed(n: bigint, places: number): string {
  const unit = 10n ** BigInt(places);
  const fraction = (n % unit).toString().padStart(places, '0').replace(/0+$/, '');
  return fraction === '' ? `${n / unit}` : `${n / unit}.${fraction}`;
}

/** The quoting of Go's time package: everything outside printable ASCII as `\xNN` bytes. */
function quote(text: string): string {
  let out = '"';
  for (const byte of new TextEncoder().encode(text)) {
    const ch = String.fromCharCode(byte);
    if (byte >= 0x80 || byte < 0x20) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    else out += ch === '"' || ch === '\\' ? `\\${ch}` : ch;
  }
  return `${out}"`;
}
