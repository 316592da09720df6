// The wire format of protocol buffers, as much as this interface needs: numbers as varints, texts
// and messages with their length in front.

type Value = string | Uint8Array | number;

/** A message of fields in the order given; zero is left out, as in proto3. */
export function writeFields(fields: readonly (readonly [number: number, value: Value])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return value === 0 ? [] : [varint(number * 8), varint(value)];
      const bytes = Buffer.from(value);
      return [varint(number * 8 + 2), varint(bytes.length), bytes];
    }),
  );
}

/** The last value of each field that has a length; others are skipped. Throws for broken bytes. */
export function readFields(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const fields = new Map<number, Buffer>();
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Error('the message is broken');
  };
  while (at < bytes.length) {
    const header = next();
    const size = next();
    if (header % 8 === 0) continue;
    if (header % 8 !== 2 || at + size > bytes.length) throw new Error('the message is broken');
    fields.set(Math.floor(header / 8), bytes.subarray(at, at + size));
    at += size;
  }
  return fields;
}

export function text(value: Buffer | undefined): string {
  return value?.toString('utf8') ?? '';
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
