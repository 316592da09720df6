/**
 * The values of literal tokens. Undefined means that the token's text has no value of its type,
 * such as a number that is too large or an escape that is no character.
 */

import type { ConstantValue } from '../ast/expression.ts';
import { celUint, int64Max, int64Min, uint64Max } from '../values/scalars.ts';

/** An int, with its sign. */
export function parseIntLiteral(text: string): bigint | undefined {
  const isNegative = text.startsWith('-');
  const magnitude = BigInt(isNegative ? text.slice(1) : text);
  const value = isNegative ? -magnitude : magnitude;
  return value < int64Min || value > int64Max ? undefined : value;
}

/** A uint, with its suffix. */
export function parseUintLiteral(text: string): ConstantValue | undefined {
  const value = BigInt(text.slice(0, -1));
  return value > uint64Max ? undefined : celUint(value);
}

/** A double. */
export function parseDoubleLiteral(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A string, in any of its quotings. */
export function parseStringLiteral(text: string): string | undefined {
  const { body, isRaw } = unquote(text);
  if (isRaw || !body.includes('\\')) return body;
  let value = '';
  for (const part of unescape(body)) {
    if (part.codePoint === undefined) return undefined;
    value += part.text ?? String.fromCodePoint(part.codePoint);
  }
  return value;
}

/** Bytes: characters stand for their UTF-8, `\x` and octal escapes for one byte. */
export function parseBytesLiteral(text: string): Uint8Array | undefined {
  const { body, isRaw } = unquote(text.slice(1));
  const encoder = new TextEncoder();
  if (isRaw || !body.includes('\\')) return encoder.encode(body);
  const bytes: number[] = [];
  for (const part of unescape(body)) {
    if (part.codePoint === undefined) return undefined;
    if (part.isByte) bytes.push(part.codePoint);
    else bytes.push(...encoder.encode(part.text ?? String.fromCodePoint(part.codePoint)));
  }
  return Uint8Array.from(bytes);
}

function unquote(text: string): { body: string; isRaw: boolean } {
  const isRaw = text.startsWith('r') || text.startsWith('R');
  const quoted = (isRaw ? text.slice(1) : text).replaceAll(/\r\n?/g, '\n');
  const width = quoted.length >= 6 && quoted.startsWith(quoted.slice(0, 1).repeat(3)) ? 3 : 1;
  return { body: quoted.slice(width, -width), isRaw };
}

interface LiteralPart {
  readonly codePoint: number | undefined;
  readonly isByte: boolean;
  /** The source's own text; set for everything that is not an escape. */
  readonly text?: string;
}

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};

function* unescape(body: string): Iterable<LiteralPart> {
  let offset = 0;
  while (offset < body.length) {
    const next = body.indexOf('\\', offset);
    if (next !== offset) {
      const text = body.slice(offset, next < 0 ? body.length : next);
      yield { codePoint: 0, isByte: false, text };
      offset += text.length;
      continue;
    }
    const letter = body[offset + 1] ?? '';
    const digits = letter === 'u' ? 4 : letter === 'U' ? 8 : letter.toLowerCase() === 'x' ? 2 : 0;
    if (digits > 0) {
      const codePoint = Number.parseInt(body.slice(offset + 2, offset + 2 + digits), 16);
      yield { codePoint: isScalarValue(codePoint) ? codePoint : undefined, isByte: digits === 2 };
      offset += 2 + digits;
    } else if (letter >= '0' && letter <= '3') {
      const codePoint = Number.parseInt(body.slice(offset + 1, offset + 4), 8);
      yield { codePoint, isByte: true };
      offset += 4;
    } else {
      yield { codePoint: simpleEscapes[letter] ?? letter.charCodeAt(0), isByte: false };
      offset += 2;
    }
  }
}

function isScalarValue(codePoint: number): boolean {
  return codePoint <= 0x10ffff && (codePoint < 0xd800 || codePoint > 0xdfff);
}
