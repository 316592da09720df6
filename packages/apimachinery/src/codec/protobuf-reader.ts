// Reads protobuf fields from bytes. Every length is checked against what is there, so nothing is
// ever allocated for a length that only was claimed.

import { isAscii } from 'node:buffer';
import { DecodeError } from './decode-error.ts';

export const wireVarint = 0;
export const wireFixed64 = 1;
export const wireBytes = 2;
const wireStartGroup = 3;
const wireEndGroup = 4;
const wireFixed32 = 5;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #ascii: boolean;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#ascii = isAscii(bytes);
    this.#at = start;
    this.#end = bytes.length;
  }

  /** Whether the message that is being read has ended. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Enters the message of a field; what it returns goes to `leave` when the message is done. */
  enter(): number {
    const length = this.varint();
    const at = this.#advance(length);
    const outer = this.#end;
    this.#at = at;
    this.#end = at + length;
    return outer;
  }
  leave(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }

  /** The header of the next field: number times eight plus wire type. `message` is for errors. */
  header(message: string): number {
    const header = this.varint();
    const number = Math.floor(header / 8);
    if (header % 8 === wireEndGroup) {
      throw wrong(`proto: ${message}: wiretype end group for non-group`);
    }
    if (number <= 0 || number > 0x1fff_ffff) {
      throw wrong(`proto: ${message}: illegal tag ${number} (wire type ${header % 8})`);
    }
    return header;
  }

  /** An unsigned varint; those beyond 2^53 lose precision. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw wrong('proto: integer overflow');
  }

  /** A signed integer of 64 bits; a bigint only when no number holds it. */
  int64(): number | bigint {
    const start = this.#at;
    const value = this.varint();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    let exact = 0n;
    for (let at = this.#at - 1; at >= start; at--) {
      exact = (exact << 7n) | BigInt((this.#bytes[at] ?? 0) & 0x7f);
    }
    exact = BigInt.asIntN(64, exact);
    const rounded = Number(exact);
    return Number.isSafeInteger(rounded) ? rounded : exact;
  }

  /** Go keeps the lower 32 bits. */
  int32(): number {
    return Number(BigInt.asIntN(32, BigInt(this.int64())));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  /** A view of the bytes of a field; it shares the memory of the source. */
  bytes(): Uint8Array {
    const length = this.varint();
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  string(): string {
    const length = this.varint();
    const at = this.#advance(length);
    if (this.#ascii) return this.#bytes.toString('latin1', at, at + length);
    const bytes = this.#bytes.subarray(at, at + length);
    return isAscii(bytes) ? bytes.toString('latin1') : utf8.decode(bytes);
  }

  /** Passes over the value of a field. */
  skip(wireType: number): void {
    switch (wireType) {
      case wireVarint:
        this.varint();
        return;
      case wireFixed64:
        this.#advance(8);
        return;
      case wireBytes:
        this.#advance(this.varint());
        return;
      case wireStartGroup:
        this.#skipGroup();
        return;
      case wireFixed32:
        this.#advance(4);
        return;
      default:
        throw wrong(`proto: illegal wireType ${wireType}`);
    }
  }

  #skipGroup(): void {
    for (let depth = 1; depth > 0;) {
      const wireType = this.varint() % 8;
      if (wireType === wireStartGroup) depth++;
      else if (wireType === wireEndGroup) depth--;
      else this.skip(wireType);
    }
  }

  #byte(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (byte === undefined) throw wrong('unexpected EOF');
    this.#at++;
    return byte;
  }

  /** Takes bytes and gives the position of the first. */
  #advance(length: number): number {
    const at = this.#at;
    if (!(length <= this.#end - at)) throw wrong('unexpected EOF');
    this.#at = at + length;
    return at;
  }
}

function wrong(message: string): DecodeError {
  return new DecodeError(message, 'syntax');
}
