// Writes protobuf from the end to the front, as gogo does: the length of a message is known when
// its header is written, so nothing is measured or moved.

const initialSize = 4096;
/**
 * Strings up to this length are copied character by character, which beats a call into the engine.
 */
const shortString = 48;

export class ProtobufWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(initialSize);
  #position = initialSize;

  /** How much has been written; take it before and after to know a length. */
  get written(): number {
    return this.#buffer.length - this.#position;
  }

  /** A copy of what was written; the writer starts again. */
  take(): Uint8Array {
    const bytes = Buffer.from(this.#buffer.subarray(this.#position));
    this.#position = this.#buffer.length;
    return bytes;
  }

  /** Drops what was written, after an error. */
  reset(): void {
    this.#position = this.#buffer.length;
  }

  varint(value: number): void {
    if (value < 0x80) {
      this.#reserve(1);
      this.#buffer[--this.#position] = value;
      return;
    }
    let size = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
    this.#reserve(size);
    let at = (this.#position -= size);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[at] = rest;
  }

  /** A signed integer of 64 bits; negative ones take ten bytes, as int32 too. */
  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) {
      this.varint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#reserve(bytes.length);
    this.#position -= bytes.length;
    this.#buffer.set(bytes, this.#position);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#position -= 8;
    this.#buffer.writeDoubleLE(value, this.#position);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#position -= value.length;
    this.#buffer.set(value, this.#position);
  }

  /** A string with its length. */
  string(value: string): void {
    const { length } = value;
    if (length > shortString || !this.#shortAscii(value)) {
      const size = Buffer.byteLength(value);
      this.#reserve(size);
      this.#position -= size;
      this.#buffer.write(value, this.#position);
      this.varint(size);
      return;
    }
    this.varint(length);
  }

  /** Writes a string if all of it is ASCII. */
  #shortAscii(value: string): boolean {
    const { length } = value;
    this.#reserve(length);
    const start = this.#position - length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#buffer[start + i] = code;
    }
    this.#position = start;
    return true;
  }

  #reserve(size: number): void {
    if (this.#position >= size) return;
    const { written } = this;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, written + size));
    this.#buffer.copy(grown, grown.length - written, this.#position);
    this.#position = grown.length - written;
    this.#buffer = grown;
  }
}
