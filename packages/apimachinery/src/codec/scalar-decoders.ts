// Decoders of everything that is not a struct, list or map. A decoder stands at the first character
// of a value that is not null, takes it, and returns what is kept. `undefined` means that nothing
// came of it: the value was of the wrong type, or is what Go writes as if it were absent (the zero
// time).

import type { JsonValue } from '../json.ts';
import { canonicalGoDuration, DurationError } from '../go-duration.ts';
import { canonicalQuantity, QuantityError } from '../quantity.ts';
import type { TypeRef } from '../schema/types.ts';
import { canonicalBase64 } from './base64.ts';
import type { DecodeContext } from './decode-context.ts';
import { DecodeError } from './decode-error.ts';
import { canonicalMicroTime, canonicalTime } from './go-time.ts';
import { int64DigitsMax } from './json-reader.ts';

export type Decoder = (context: DecodeContext, previous?: JsonValue) => JsonValue | undefined;

const quote = 0x22;
const int32Max = 2_147_483_647;
const int64Max = 2n ** 63n - 1n;

export function scalarDecoder(kind: TypeRef['kind'], goType: string): Decoder {
  switch (kind) {
    case 'string':
      return (context) =>
        context.reader.peek() === quote ? context.reader.readString() : context.wrongType(goType);
    case 'bool':
      return (context) => decodeBool(context, goType);
    case 'int32':
    case 'int64':
      return (context) => decodeInteger(context, kind, goType);
    case 'double':
      return (context) => decodeDouble(context, goType);
    case 'bytes':
      return (context) => decodeBytes(context, goType);
    case 'time':
      return (context) => decodeOwnText(context, canonicalTime);
    case 'micro-time':
      return (context) => decodeOwnText(context, canonicalMicroTime);
    case 'duration':
      return (context) => decodeOwnText(context, parseDuration);
    case 'quantity':
      return decodeQuantity;
    case 'int-or-string':
      return decodeIntOrString;
    default:
      return (context) => context.reader.readAny();
  }
}

function decodeBool(context: DecodeContext, goType: string): boolean | undefined {
  const code = context.reader.peek();
  if (code !== 0x74 && code !== 0x66) return context.wrongType(goType);
  return context.reader.readLiteral() === true;
}

function startsNumber(code: number): boolean {
  return code === 0x2d || (code >= 0x30 && code <= 0x39);
}

function decodeInteger(
  context: DecodeContext,
  kind: 'int32' | 'int64',
  goType: string,
): number | bigint | undefined {
  if (!startsNumber(context.reader.peek())) return context.wrongType(goType);
  const text = context.reader.readNumberText();
  const value = parseInteger(text, kind);
  return value ?? context.wrongValue(`number ${text}`, goType);
}

function parseInteger(text: string, kind: 'int32' | 'int64'): number | bigint | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const value = Number(text);
  if (kind === 'int32') {
    return value >= -int32Max - 1 && value <= int32Max ? value + 0 : undefined;
  }
  if (Number.isSafeInteger(value)) return value + 0;
  if (text.length > int64DigitsMax) return undefined;
  const exact = BigInt(text);
  return exact > int64Max || exact < -int64Max - 1n ? undefined : exact;
}

function decodeDouble(context: DecodeContext, goType: string): number | undefined {
  if (!startsNumber(context.reader.peek())) return context.wrongType(goType);
  const text = context.reader.readNumberText();
  const value = Number(text);
  return Number.isFinite(value) ? value : context.wrongValue(`number ${text}`, goType);
}

/** Base64 text; COMPAT: Go also takes a list of numbers for bytes. */
function decodeBytes(context: DecodeContext, goType: string): string | undefined {
  const { reader } = context;
  const code = reader.peek();
  if (code === 0x5b) return decodeByteList(context);
  if (code !== quote) return context.wrongType(goType);
  try {
    return canonicalBase64(reader.readString());
  } catch (error) {
    if (error instanceof DecodeError && error.reason === 'value') {
      return context.wrongText(error.message);
    }
    throw error;
  }
}

function decodeByteList(context: DecodeContext): string {
  const { reader } = context;
  const bytes: number[] = [];
  reader.enter();
  for (let first = true; reader.nextItem(first); first = false) {
    if (!startsNumber(reader.peek())) {
      context.wrongType('uint8');
      continue;
    }
    const text = reader.readNumberText();
    if (/^\d+$/.test(text) && Number(text) <= 255) bytes.push(Number(text));
    else context.wrongValue(`number ${text}`, 'uint8');
  }
  return Buffer.from(bytes).toString('base64');
}

/** Times and durations: strings that their own parser reads. */
function decodeOwnText(
  context: DecodeContext,
  parse: (text: string) => string | undefined,
): string | undefined {
  const code = context.reader.peek();
  if (code !== quote) return context.abortWrongType(wordFor(code), 'string');
  return parse(context.reader.readString());
}

function wordFor(code: number): string {
  if (code === 0x7b) return 'object';
  if (code === 0x5b) return 'array';
  return startsNumber(code) ? 'number' : 'bool';
}

function parseDuration(text: string): string {
  try {
    return canonicalGoDuration(text);
  } catch (error) {
    if (error instanceof DurationError) throw new DecodeError(error.message);
    throw error;
  }
}

/** A string, a number, or any other text, which is then no quantity. */
function decodeQuantity(context: DecodeContext): string {
  const { reader } = context;
  const start = reader.peek() === quote ? reader.position + 1 : reader.position;
  reader.skipValue();
  const end = start > 0 && reader.text.charCodeAt(start - 1) === quote ? 1 : 0;
  // COMPAT: the text between the quotes is taken as it is, escapes are not resolved.
  const text = reader.text.slice(start, reader.position - end).trim();
  try {
    return canonicalQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodeError(error.message);
    throw error;
  }
}

function decodeIntOrString(context: DecodeContext): string | number {
  const { reader } = context;
  const code = reader.peek();
  if (code === quote) return reader.readString();
  if (!startsNumber(code)) return context.abortWrongType(wordFor(code), 'int32');
  const text = reader.readNumberText();
  const value = parseInteger(text, 'int32');
  return value === undefined ? context.abortWrongType(`number ${text}`, 'int32') : Number(value);
}
