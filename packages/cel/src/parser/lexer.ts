/**
 * Text to tokens. The longest token wins, as in the language's grammar: where a longer one turns
 * out not to be (an unterminated `"""`), the shorter one that was passed on the way is taken
 * (`""`).
 *
 * What is no token is reported with the text up to and including the character that cannot continue
 * it, and reading goes on behind that character.
 */

/** Kinds of tokens, named as syntax errors name them (punctuation without the quotes). */
export type TokenKind =
  | '=='
  | '!='
  | 'in'
  | '<'
  | '<='
  | '>='
  | '>'
  | '&&'
  | '||'
  | '['
  | ']'
  | '{'
  | '}'
  | '('
  | ')'
  | '.'
  | ','
  | '-'
  | '!'
  | '?'
  | ':'
  | '+'
  | '*'
  | '/'
  | '%'
  | 'true'
  | 'false'
  | 'null'
  | 'NUM_FLOAT'
  | 'NUM_INT'
  | 'NUM_UINT'
  | 'STRING'
  | 'BYTES'
  | 'IDENTIFIER'
  | 'ESC_IDENTIFIER'
  | 'EOF';

/** A token; offsets count UTF-16 units of the source. */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Text that is no token. */
export interface LexicalError {
  readonly start: number;
  readonly message: string;
}

/** All tokens, an EOF last, and what could not be read. */
export interface TokenStream {
  readonly tokens: readonly Token[];
  readonly errors: readonly LexicalError[];
}

/**
 * Reads the whole text. Stops at `errorsMax` errors, for a text that is no expression has one per
 * character.
 */
export function tokenize(source: string, errorsMax = 100): TokenStream {
  const tokens: Token[] = [];
  const errors: LexicalError[] = [];
  let offset = 0;
  while (errors.length < errorsMax) {
    offset = skipBlank(source, offset);
    if (offset >= source.length) break;
    const scan = scanToken(source, offset);
    if (scan.kind === undefined) {
      const end = Math.min(source.length, scan.end + characterLength(source, scan.end));
      const text = source.slice(offset, end);
      errors.push({
        start: offset,
        message: `Syntax error: token recognition error at: '${text}'`,
      });
      offset = Math.max(end, offset + 1);
      continue;
    }
    const text = source.slice(offset, scan.end);
    tokens.push({ kind: scan.kind, start: offset, end: scan.end, text });
    offset = scan.end;
  }
  tokens.push({ kind: 'EOF', start: source.length, end: source.length, text: '<EOF>' });
  return { tokens, errors };
}

/** A token's kind and end; without kind, the end is where reading failed. */
interface Scan {
  readonly kind: TokenKind | undefined;
  readonly end: number;
}

const keywords: ReadonlySet<string> = new Set(['in', 'true', 'false', 'null']);

const code = (character: string): number => character.charCodeAt(0);
const space = code(' ');
const newline = code('\n');
const carriageReturn = code('\r');
const backslash = code('\\');
const doubleQuote = code('"');
const singleQuote = code("'");
const backquote = code('`');
const dot = code('.');
const slash = code('/');
const zero = code('0');
const nine = code('9');
const lowerA = code('a');
const lowerF = code('f');
const lowerZ = code('z');
const underscore = code('_');
/** What makes a letter a small one. */
const caseBit = 0x20;
const blanks: ReadonlySet<number> = new Set([' ', '\n', '\t', '\r', '\f'].map(code));

/** Punctuation of one character by its code, and of two by the first code and then the second. */
const singles = new Map(
  Array.from('<>[]{}().,-!?:+*/%', (text) => [code(text), text as TokenKind]),
);
const doubles: ReadonlyMap<number, { readonly second: number; readonly kind: TokenKind }> = new Map(
  (['==', '!=', '<=', '>=', '&&', '||'] as const).map((kind) => [
    code(kind),
    { second: kind.charCodeAt(1), kind },
  ]),
);

function skipBlank(source: string, from: number): number {
  let offset = from;
  while (offset < source.length) {
    const character = source.charCodeAt(offset);
    if (character <= space && blanks.has(character)) {
      offset++;
    } else if (character === slash && source.charCodeAt(offset + 1) === slash) {
      const end = source.indexOf('\n', offset);
      offset = end < 0 ? source.length : end;
    } else break;
  }
  return offset;
}

function scanToken(source: string, start: number): Scan {
  const character = source.charCodeAt(start);
  if (isLetter(character)) return scanWord(source, start);
  if (isDigit(character) || (character === dot && isDigit(source.charCodeAt(start + 1)))) {
    return scanNumber(source, start);
  }
  if (character === doubleQuote || character === singleQuote) {
    return scanString(source, start, false);
  }
  if (character === backquote) return scanEscapedIdentifier(source, start);
  const pair = doubles.get(character);
  if (pair !== undefined && source.charCodeAt(start + 1) === pair.second) {
    return { kind: pair.kind, end: start + 2 };
  }
  const single = singles.get(character);
  if (single !== undefined) return { kind: single, end: start + 1 };
  // The first half of `==`, `&&` or `||`.
  return { kind: undefined, end: pair === undefined ? start : start + 1 };
}

function scanWord(source: string, start: number): Scan {
  let end = start + 1;
  while (isWordPart(source.charCodeAt(end))) end++;
  const word = source.slice(start, end);
  const quote = source.charCodeAt(end);
  if (quote === doubleQuote || quote === singleQuote) {
    const prefix = word.toLowerCase();
    const isRaw = prefix.endsWith('r');
    if (prefix === 'r' || prefix === 'b' || prefix === 'br') {
      const scan = scanString(source, end, isRaw);
      if (scan.kind !== undefined) {
        return { kind: prefix.startsWith('b') ? 'BYTES' : 'STRING', end: scan.end };
      }
    }
  }
  return { kind: keywords.has(word) ? (word as TokenKind) : 'IDENTIFIER', end };
}

function scanNumber(source: string, start: number): Scan {
  if (source.startsWith('0x', start) && isHex(source.charCodeAt(start + 2))) {
    let end = start + 3;
    while (isHex(source.charCodeAt(end))) end++;
    return withUnsigned(source, end);
  }
  const whole = skipDigits(source, start);
  let end = whole;
  if (source.charCodeAt(end) === dot && isDigit(source.charCodeAt(end + 1)))
    end = skipDigits(source, end + 1);
  const exponent = skipExponent(source, end);
  if (exponent > whole) return { kind: 'NUM_FLOAT', end: exponent };
  return withUnsigned(source, whole);
}

function withUnsigned(source: string, end: number): Scan {
  const isUnsigned = source[end] === 'u' || source[end] === 'U';
  return isUnsigned ? { kind: 'NUM_UINT', end: end + 1 } : { kind: 'NUM_INT', end };
}

function skipDigits(source: string, from: number): number {
  let end = from;
  while (isDigit(source.charCodeAt(end))) end++;
  return end;
}

function skipExponent(source: string, from: number): number {
  if (source[from] !== 'e' && source[from] !== 'E') return from;
  const sign = source[from + 1] === '+' || source[from + 1] === '-' ? 1 : 0;
  return isDigit(source.charCodeAt(from + 1 + sign)) ? skipDigits(source, from + 1 + sign) : from;
}

function scanString(source: string, start: number, isRaw: boolean): Scan {
  const quote = source.charCodeAt(start);
  const isTriple = isThrice(source, start, quote);
  if (!isTriple) return scanQuoted(source, start + 1, { quote, isRaw, isTriple });
  const scan = scanQuoted(source, start + 3, { quote, isRaw, isTriple });
  // Without its end, the text starts with the empty string.
  return scan.kind === undefined ? { kind: 'STRING', end: start + 2 } : scan;
}

interface Quoting {
  readonly quote: number;
  readonly isRaw: boolean;
  readonly isTriple: boolean;
}

function isThrice(source: string, at: number, quote: number): boolean {
  return (
    source.charCodeAt(at) === quote &&
    source.charCodeAt(at + 1) === quote &&
    source.charCodeAt(at + 2) === quote
  );
}

function scanQuoted(source: string, from: number, { quote, isRaw, isTriple }: Quoting): Scan {
  let end = from;
  while (end < source.length) {
    const character = source.charCodeAt(end);
    if (character === quote && (!isTriple || isThrice(source, end, quote))) {
      return { kind: 'STRING', end: end + (isTriple ? 3 : 1) };
    }
    const isLineEnd = character === newline || character === carriageReturn;
    if (isLineEnd && !isTriple) return { kind: undefined, end };
    if (character === backslash && !isRaw) {
      const escape = skipEscape(source, end);
      if (!escape.isValid) return { kind: undefined, end: escape.end };
      end = escape.end;
    } else end++;
  }
  return { kind: undefined, end };
}

const hexEscapes: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 };

function skipEscape(source: string, start: number): { isValid: boolean; end: number } {
  const letter = source[start + 1];
  if (letter === undefined) return { isValid: false, end: start + 1 };
  if ('abfnrtv"\'\\?`'.includes(letter)) return { isValid: true, end: start + 2 };
  const digits = hexEscapes[letter];
  if (digits !== undefined) {
    for (let index = 0; index < digits; index++) {
      if (!isHex(source.charCodeAt(start + 2 + index)))
        return { isValid: false, end: start + 2 + index };
    }
    return { isValid: true, end: start + 2 + digits };
  }
  if (letter < '0' || letter > '3') return { isValid: false, end: start + 1 };
  for (const index of [2, 3]) {
    const digit = source[start + index];
    if (digit === undefined || digit < '0' || digit > '7') {
      return { isValid: false, end: start + index };
    }
  }
  return { isValid: true, end: start + 4 };
}

function scanEscapedIdentifier(source: string, start: number): Scan {
  let end = start + 1;
  while (isWordPart(source.charCodeAt(end)) || '.-/ '.includes(source[end] ?? '`')) end++;
  if (source[end] === '`' && end > start + 1) return { kind: 'ESC_IDENTIFIER', end: end + 1 };
  return { kind: undefined, end };
}

function characterLength(source: string, offset: number): number {
  return (source.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
}

// Codes are NaN behind the end, which none of these is true of.

function isWordPart(character: number): boolean {
  return isLetter(character) || isDigit(character);
}

function isLetter(character: number): boolean {
  const lower = character | caseBit;
  return (lower >= lowerA && lower <= lowerZ) || character === underscore;
}

function isDigit(character: number): boolean {
  return character >= zero && character <= nine;
}

function isHex(character: number): boolean {
  const lower = character | caseBit;
  return isDigit(character) || (lower >= lowerA && lower <= lowerF);
}
