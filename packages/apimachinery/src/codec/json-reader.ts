// Reads JSON text, token by token, with the syntax and the messages of Go's encoding/json.
// It does not know types: decoders drive it (`struct-decoder.ts`), `readAny` reads untyped values.
//
// Bounds: nesting of skipped text as in Go, nesting of kept values less (see `keptDepthMax`);
// the size of the text is bounded by who calls.

import { isAscii } from 'node:buffer';
import { setOwn, type JsonArray, type JsonObject, type JsonValue } from '../json.ts';
import { DecodeError } from './decode-error.ts';

/** Go's own bound on nesting. */
export const textDepthMax = 10_000;
/**
 * Values deeper than this are refused with Go's message for its own, larger bound.
 * SECURITY: what is kept is later encoded, compared and merged by recursion; one stored object must
 * not be able to exhaust the stack of every request that lists it.
 */
export const keptDepthMax = 1_000;

/** Shorter strings are copied by the engine when they are sliced. */
const slicedLengthMin = 13;

const quote = 0x22;
const backslash = 0x5c;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text of a body. Bytes that are not UTF-8 become U+FFFD, as Go's decoder makes them. */
export function textOf(source: Uint8Array | string): string {
  if (typeof source === 'string') return source;
  if (isAscii(source)) {
    return Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString('latin1');
  }
  return utf8.decode(source);
}

/** Collects keys that an object has twice, as paths: `spec.list[2].name`. */
export interface DuplicateKeys {
  /** Where reading stands; the reader keeps it. */
  readonly path: (string | number)[];
  found(path: string): void;
}

export class JsonReader {
  readonly text: string;
  position = 0;
  #depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The code of the next character that is not space, without taking it. */
  peek(): number {
    const { text } = this;
    let { position } = this;
    let code = text.charCodeAt(position);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      code = text.charCodeAt(++position);
    }
    this.position = position;
    return code;
  }

  enter(): void {
    if (++this.#depth > keptDepthMax) throw new DecodeError('exceeded max depth', 'limit');
    this.position++;
  }
  leave(): void {
    this.#depth--;
    this.position++;
  }

  /** After a key: takes the colon. */
  colon(): void {
    if (this.peek() !== 0x3a) this.unexpected('after object key');
    this.position++;
  }

  /** After `{` or a value: true with the position at the quote of a key, false after the `}`. */
  nextKey(first: boolean): boolean {
    let code = this.peek();
    if (code === 0x7d) {
      this.leave();
      return false;
    }
    if (!first) {
      if (code !== 0x2c) this.unexpected('after object key:value pair');
      this.position++;
      code = this.peek();
    }
    if (code !== quote) this.unexpected('looking for beginning of object key string');
    return true;
  }

  /** After `[` or a value: true with the position at a value, false after the `]`. */
  nextItem(first: boolean): boolean {
    const code = this.peek();
    if (code === 0x5d) {
      this.leave();
      return false;
    }
    if (first) return true;
    if (code !== 0x2c) this.unexpected('after array element');
    this.position++;
    this.peek();
    return true;
  }

  /** A string that is kept, with the position at its opening quote. */
  readString(): string {
    const start = this.position;
    const value = this.readKey();
    // A slice would keep the text of the entire body alive; parsing makes a string of its own.
    return value.length < slicedLengthMin
      ? value
      : (JSON.parse(this.text.slice(start, this.position)) as string).toWellFormed();
  }

  /** The same for a string that is only looked at. */
  readKey(): string {
    const { text } = this;
    const start = this.position + 1;
    let end = start;
    for (;;) {
      const code = text.charCodeAt(end);
      if (code === quote) {
        this.position = end + 1;
        return text.slice(start, end);
      }
      // Escapes, control characters, the end, and surrogates, which may be alone.
      if (code === backslash || code < 0x20 || code !== code || (code & 0xf800) === 0xd800) {
        return this.#readOddString(start);
      }
      end++;
    }
  }

  #readOddString(start: number): string {
    const end = this.#skipString(start);
    this.position = end;
    const raw = this.text.slice(start - 1, end);
    return (JSON.parse(raw) as string).toWellFormed();
  }

  /** Checks a string from after its quote; gives the position after its closing quote. */
  #skipString(start: number): number {
    const { text } = this;
    let at = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === quote) return at + 1;
      if (code === backslash) at = this.#skipEscape(at + 1);
      else if (code < 0x20 || code !== code) this.unexpectedAt(at, 'in string literal');
      else at++;
    }
  }

  #skipEscape(at: number): number {
    const { text } = this;
    const code = text.charCodeAt(at);
    if (code !== 0x75) {
      if (code !== code || !'"\\/bfnrt'.includes(text.charAt(at))) {
        this.unexpectedAt(at, 'in string escape code');
      }
      return at + 1;
    }
    for (let i = 1; i <= 4; i++) {
      if (!isHex(text.charCodeAt(at + i))) {
        this.unexpectedAt(at + i, 'in \\u hexadecimal character escape');
      }
    }
    return at + 5;
  }

  /** The text of a number, with the position at its first character. */
  readNumberText(): string {
    const { text } = this;
    const start = this.position;
    let at = start;
    if (text.charCodeAt(at) === 0x2d) at++;
    if (text.charCodeAt(at) === 0x30) at++;
    else at = this.#digits(at, 'in numeric literal');
    if (text.charCodeAt(at) === 0x2e) {
      at = this.#digits(at + 1, 'after decimal point in numeric literal');
    }
    if ((text.charCodeAt(at) | 0x20) === 0x65) {
      at++;
      const sign = text.charCodeAt(at);
      if (sign === 0x2b || sign === 0x2d) at++;
      at = this.#digits(at, 'in exponent of numeric literal');
    }
    this.position = at;
    return text.slice(start, at);
  }

  #digits(start: number, where: string): number {
    let at = start;
    while (isDigit(this.text.charCodeAt(at))) at++;
    if (at === start) this.unexpectedAt(at, where);
    return at;
  }

  /** Takes `true`, `false` or `null`. */
  readLiteral(): boolean | null {
    const { text, position } = this;
    const word =
      text.charAt(position) === 't' ? 'true' : text.charAt(position) === 'f' ? 'false' : 'null';
    if (!text.startsWith(word, position)) {
      let wrong = 1;
      while (text.charAt(position + wrong) === word.charAt(wrong)) wrong++;
      const wanted = word.charAt(wrong);
      this.unexpectedAt(position + wrong, `in literal ${word} (expecting '${wanted}')`);
    }
    this.position = position + word.length;
    return word === 'null' ? null : word === 'true';
  }

  /** Any value. Keys that occur twice keep their last value. */
  readAny(duplicates?: DuplicateKeys): JsonValue {
    const code = this.peek();
    switch (code) {
      case 0x7b:
        return this.#readObject(duplicates);
      case 0x5b:
        return this.#readArray(duplicates);
      case quote:
        return this.readString();
      default:
        if (code === 0x2d || isDigit(code)) return looseNumber(this.readNumberText());
        if (code === 0x74 || code === 0x66 || code === 0x6e) return this.readLiteral();
        return this.unexpected('looking for beginning of value');
    }
  }

  #readObject(duplicates: DuplicateKeys | undefined): JsonObject {
    const object: JsonObject = {};
    this.enter();
    for (let first = true; this.nextKey(first); first = false) {
      const key = this.readString();
      this.colon();
      if (duplicates === undefined) setOwn(object, key, this.readAny());
      else {
        const { path } = duplicates;
        path.push(key);
        if (Object.hasOwn(object, key)) duplicates.found(formatPath(path));
        setOwn(object, key, this.readAny(duplicates));
        path.pop();
      }
    }
    return object;
  }

  #readArray(duplicates: DuplicateKeys | undefined): JsonArray {
    const array: JsonArray = [];
    this.enter();
    for (let first = true; this.nextItem(first); first = false) {
      duplicates?.path.push(array.length);
      array.push(this.readAny(duplicates));
      duplicates?.path.pop();
    }
    return array;
  }

  /** Passes over a value, checking its syntax; deep nesting costs no stack. */
  skipValue(): void {
    // One character per open bracket: what closes it.
    const open: number[] = [];
    let fresh = true;
    for (;;) {
      const code = this.peek();
      const closing = open.at(-1);
      if (closing !== undefined && (!fresh || code === closing)) {
        if (code === closing) {
          this.position++;
          open.pop();
          fresh = false;
          if (open.length === 0) return;
          continue;
        }
        const where = closing === 0x7d ? 'after object key:value pair' : 'after array element';
        if (code !== 0x2c) this.unexpected(where);
        this.position++;
      }
      if (closing === 0x7d) this.#skipKey();
      fresh = this.#skipStart(open);
      if (open.length === 0) return;
    }
  }

  #skipKey(): void {
    if (this.peek() !== quote) this.unexpected('looking for beginning of object key string');
    this.position = this.#skipString(this.position + 1);
    this.colon();
  }

  /** Passes over a scalar (false) or an opening bracket (true). */
  #skipStart(open: number[]): boolean {
    const code = this.peek();
    if (code === 0x7b || code === 0x5b) {
      this.position++;
      if (open.push(code + 2) + this.#depth > textDepthMax) {
        throw new DecodeError('exceeded max depth', 'limit');
      }
      return true;
    }
    if (code === quote) this.position = this.#skipString(this.position + 1);
    else if (code === 0x2d || isDigit(code)) this.readNumberText();
    else if (code === 0x74 || code === 0x66 || code === 0x6e) this.readLiteral();
    else this.unexpected('looking for beginning of value');
    return false;
  }

  /** After the top value: nothing but space may follow. */
  end(): void {
    this.peek();
    if (this.position < this.text.length) this.unexpected('after top-level value');
  }

  unexpected(where: string): never {
    return this.unexpectedAt(this.position, where);
  }

  unexpectedAt(position: number, where: string): never {
    this.position = position;
    const code = this.text.codePointAt(position);
    if (code === undefined) throw new DecodeError('unexpected end of JSON input', 'syntax');
    throw new DecodeError(`invalid character ${quoteCharacter(code)} ${where}`, 'syntax');
  }
}

/** `spec.containers[0].image`, the form of strict decoding errors. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** With its sign; longer integers are beyond 64 bits, and making them exact would cost time. */
export const int64DigitsMax = 20;
const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** An untyped number: integers of 64 bits are exact, all others are doubles. */
function looseNumber(text: string): number | bigint {
  const value = Number(text);
  const inexact = !Number.isSafeInteger(value) && text.length <= int64DigitsMax;
  if (!inexact || !/^-?\d+$/.test(text)) return Object.is(value, -0) ? 0 : value;
  const exact = BigInt(text);
  return exact > int64Max || exact < int64Min ? value : exact;
}

/** Go prints the byte that it stumbled over as a character. */
function quoteCharacter(code: number): string {
  if (code === 0x27) return "'\\''";
  if (code === 0x22) return `'"'`;
  if (code === 0x5c) return `'\\\\'`;
  const named = controlNames[code];
  if (named !== undefined) return `'${named}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  if (code < 0x80) return `'${String.fromCharCode(code)}'`;
  const byte = new TextEncoder().encode(String.fromCodePoint(code))[0] ?? 0;
  return byte < 0xa0 || byte === 0xad
    ? `'\\u${byte.toString(16).padStart(4, '0')}'`
    : `'${String.fromCharCode(byte)}'`;
}

const controlNames: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
function isHex(code: number): boolean {
  return isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);
}
