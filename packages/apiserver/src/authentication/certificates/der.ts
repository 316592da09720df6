// Distinguished encoding rules (X.690), as much as certificates need: one-byte tags, definite
// lengths, nothing longer than its surroundings. Values that DER forbids (indefinite or padded
// lengths) are refused, so that what is signed is what is read.

/** Tags of the universal class, and makers for context-specific ones. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  /** `[n]` with a primitive value. */
  context: (n: number) => 0x80 | n,
  /** `[n]` around other values. */
  constructed: (n: number) => 0xa0 | n,
} as const;

/** The bytes are not DER, or not the structure that was asked for. */
export class DerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DerError';
  }
}

/** One value: its tag, its content, and all its bytes with the header. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Reads exactly one value; throws DerError when there is more or less. */
export function readDer(bytes: Uint8Array, expectedTag?: number): DerValue {
  const value = readAt(bytes, 0);
  if (value.bytes.length !== bytes.length) throw new DerError('trailing data');
  return expectTag(value, expectedTag);
}

/** The values inside a constructed value, in order; at most `countMax`. */
export function readChildren(parent: Uint8Array, countMax = 256): DerValue[] {
  const out: DerValue[] = [];
  for (let offset = 0; offset < parent.length;) {
    if (out.length === countMax) throw new DerError('too many values');
    const value = readAt(parent, offset);
    out.push(value);
    offset += value.bytes.length;
  }
  return out;
}

/** Checks the tag of a value that must be there. */
export function expectTag(value: DerValue | undefined, expected?: number): DerValue {
  if (value === undefined) throw new DerError('a value is missing');
  if (expected !== undefined && value.tag !== expected)
    throw new DerError(`tag ${value.tag} where ${expected} was expected`);
  return value;
}

function readAt(bytes: Uint8Array, offset: number): DerValue {
  const first = bytes[offset];
  const length = bytes[offset + 1];
  if (first === undefined || length === undefined) throw new DerError('truncated');
  if ((first & 0x1f) === 0x1f) throw new DerError('tags of several bytes are not supported');
  let start = offset + 2;
  let size = length;
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 4) throw new DerError('unsupported length');
    size = 0;
    for (let i = 0; i < count; i++) {
      const byte = bytes[start + i];
      if (byte === undefined) throw new DerError('truncated');
      size = size * 256 + byte;
    }
    if (size < 0x80 || bytes[start] === 0) throw new DerError('length is not minimal');
    start += count;
  }
  const end = start + size;
  if (end > bytes.length) throw new DerError('truncated');
  return { tag: first, content: bytes.subarray(start, end), bytes: bytes.subarray(offset, end) };
}

/** `2.5.4.3` */
export function readOid(content: Uint8Array): string {
  const arcs: number[] = [];
  let value = 0;
  for (const [i, byte] of content.entries()) {
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128) throw new DerError('object identifier is too large');
    if (byte & 0x80) {
      if (i === content.length - 1) throw new DerError('truncated object identifier');
      continue;
    }
    if (arcs.length === 0) {
      const root = Math.min(2, Math.floor(value / 40));
      arcs.push(root, value - root * 40);
    } else arcs.push(value);
    value = 0;
  }
  if (arcs.length === 0) throw new DerError('empty object identifier');
  return arcs.join('.');
}

/** Integers as they are in certificates: two's complement, any size. */
export function readInteger(content: Uint8Array): bigint {
  if (content.length === 0) throw new DerError('empty integer');
  const hex = Buffer.from(content).toString('hex');
  return BigInt.asIntN(content.length * 8, BigInt(`0x${hex}`));
}

export function readBoolean(content: Uint8Array): boolean {
  if (content.length !== 1) throw new DerError('unreadable boolean');
  return content[0] !== 0;
}

/** The bytes of a bit string that has whole bytes or a few unused bits at its end. */
export function readBitString(content: Uint8Array): Uint8Array {
  const unused = content[0];
  if (unused === undefined || unused > 7) throw new DerError('unreadable bit string');
  return content.subarray(1);
}

const stringDecoders: Readonly<Record<number, 'utf-8' | 'latin1' | 'utf-16be'>> = {
  [tag.utf8String]: 'utf-8',
  [tag.printableString]: 'latin1',
  [tag.ia5String]: 'latin1',
  [tag.numericString]: 'latin1',
  [tag.teletexString]: 'latin1',
  [tag.bmpString]: 'utf-16be',
};

/** The text of a string value; undefined when it is not a string. */
export function readText(value: DerValue): string | undefined {
  const encoding = stringDecoders[value.tag];
  if (encoding === undefined) return undefined;
  return new TextDecoder(encoding, { fatal: encoding !== 'latin1' }).decode(value.content);
}

/** Milliseconds since the epoch of a UTCTime or GeneralizedTime in Zulu time with seconds. */
export function readTime(value: DerValue): number {
  const text = Buffer.from(value.content).toString('latin1');
  const pattern = /^(\d{2,4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
  const match = pattern.exec(text);
  const yearDigits = value.tag === tag.utcTime ? 2 : 4;
  if (match === null || match[1]?.length !== yearDigits) throw new DerError('unreadable time');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map(Number);
  const fullYear = yearDigits === 4 ? year : year < 50 ? 2000 + year : 1900 + year;
  const ms = Date.UTC(fullYear, month - 1, day, hour, minute, second);
  if (new Date(ms).getUTCDate() !== day) throw new DerError('unreadable time');
  return ms;
}

/** A value from its tag and content. */
export function encodeDer(valueTag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, part) => sum + part.length, 0);
  const lengthBytes: number[] = [];
  for (let rest = size; size >= 0x80 && rest > 0; rest = Math.floor(rest / 256))
    lengthBytes.unshift(rest % 256);
  const header =
    size < 0x80 ? [valueTag, size] : [valueTag, 0x80 | lengthBytes.length, ...lengthBytes];
  return Buffer.concat([Uint8Array.from(header), ...contents]);
}

export const encode = {
  sequence: (...parts: readonly Uint8Array[]) => encodeDer(tag.sequence, ...parts),
  /** Members in the order that DER asks for. */
  set: (...parts: readonly Uint8Array[]) =>
    encodeDer(tag.set, ...[...parts].sort((a, b) => Buffer.compare(a, b))),
  octetString: (content: Uint8Array) => encodeDer(tag.octetString, content),
  bitString: (content: Uint8Array, unusedBits = 0) =>
    encodeDer(tag.bitString, Uint8Array.of(unusedBits), content),
  boolean: (value: boolean) => encodeDer(tag.boolean, Uint8Array.of(value ? 0xff : 0)),
  null: () => encodeDer(tag.null),
  utf8: (text: string) => encodeDer(tag.utf8String, Buffer.from(text, 'utf8')),
  /** A non-negative integer from its bytes, most significant first. */
  unsigned(bytes: Uint8Array): Uint8Array {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) start++;
    const trimmed = bytes.subarray(start);
    const padding = (trimmed[0] ?? 0) & 0x80 ? [Uint8Array.of(0)] : [];
    return encodeDer(tag.integer, ...padding, trimmed);
  },
  oid(dotted: string): Uint8Array {
    const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number);
    const bytes = [root * 40 + second, ...rest].flatMap((arc) => {
      const out = [arc % 128];
      for (let v = Math.floor(arc / 128); v > 0; v = Math.floor(v / 128))
        out.unshift((v % 128) | 0x80);
      return out;
    });
    return encodeDer(tag.oid, Uint8Array.from(bytes));
  },
  /** UTCTime up to 2049, GeneralizedTime after, as RFC 5280 asks for. */
  time(ms: number): Uint8Array {
    const iso = new Date(ms).toISOString();
    const digits = iso.slice(0, 19).replace(/[-:T]/g, '');
    const year = Number(iso.slice(0, 4));
    return year < 2050
      ? encodeDer(tag.utcTime, Buffer.from(`${digits.slice(2)}Z`))
      : encodeDer(tag.generalizedTime, Buffer.from(`${digits}Z`));
  },
} as const;
