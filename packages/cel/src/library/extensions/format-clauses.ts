/**
 * Format strings: `%s`, `%d`, `%.3f`, `%e`, `%b`, `%x`, `%X`, `%o` and `%%`, read one by one.
 * Evaluation fills them with values; the compiler holds them against types.
 */

/** One clause of a format string. */
export interface FormatClause {
  readonly verb: 's' | 'd' | 'f' | 'e' | 'b' | 'x' | 'X' | 'o';
  readonly precision: number | undefined;
}

/** Replaces clauses in order; what it returns as `error` ends the formatting. */
export type FillClause = (
  clause: FormatClause,
  index: number,
) => { readonly text: string } | { readonly error: string };

/** The text with its clauses filled, or what is wrong with it. COMPAT: the errors are cel-go's. */
export function fillFormat(
  format: string,
  argumentCount: number,
  fill: FillClause,
): { readonly text: string } | { readonly error: string } {
  let text = '';
  let index = 0;
  let offset = 0;
  while (offset < format.length) {
    const percent = format.indexOf('%', offset);
    if (percent < 0) return { text: text + format.slice(offset) };
    text += format.slice(offset, percent);
    if (format[percent + 1] === '%') {
      text += '%';
      offset = percent + 2;
      continue;
    }
    if (index >= argumentCount) return { error: `index ${index} out of range` };
    if (percent + 1 >= format.length) return { error: 'unexpected end of string' };
    const clause = readClause(format, percent + 1);
    if ('error' in clause) return { error: `could not parse formatting clause: ${clause.error}` };
    const filled = fill(clause, index++);
    if ('error' in filled) return { error: `error during formatting: ${filled.error}` };
    text += filled.text;
    offset = clause.end;
  }
  return { text };
}

// More decimals than a double has serve only to make the result long.
const precisionMax = 1000;

function readClause(
  format: string,
  start: number,
): (FormatClause & { readonly end: number }) | { readonly error: string } {
  let end = start;
  let precision: number | undefined;
  if (format[end] === '.') {
    const digits = /^\d*/.exec(format.slice(end + 1))?.[0] ?? '';
    end += 1 + digits.length;
    if (end >= format.length) {
      return { error: 'error while parsing precision: could not find end of precision specifier' };
    }
    precision = Number(digits);
    if (digits === '' || precision > precisionMax) {
      const problem = digits === '' ? 'invalid syntax' : 'value out of range';
      return {
        error:
          'error while parsing precision: error while converting precision to integer: ' +
          `strconv.Atoi: parsing "${digits}": ${problem}`,
      };
    }
  }
  const verb = String.fromCodePoint(format.codePointAt(end) ?? 0);
  if (!isVerb(verb)) return { error: `unrecognized formatting clause "${verb}"` };
  return { verb, precision, end: end + 1 };
}

function isVerb(text: string): text is FormatClause['verb'] {
  return text.length === 1 && 'sdfebxXo'.includes(text);
}

/** What each clause takes, as its error says. */
export const clauseErrors: Readonly<Record<FormatClause['verb'], string>> = {
  s:
    'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, ' +
    'durations, and timestamps, was given ',
  d: 'decimal clause can only be used on integers, was given ',
  f: 'fixed-point clause can only be used on doubles, was given ',
  e: 'scientific clause can only be used on doubles, was given ',
  b: 'only integers and bools can be formatted as binary, was given ',
  x: 'only integers, byte buffers, and strings can be formatted as hex, was given ',
  X: 'only integers, byte buffers, and strings can be formatted as hex, was given ',
  o: 'octal clause can only be used on integers, was given ',
};
