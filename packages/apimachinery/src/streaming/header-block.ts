// The name/value header block of SPDY/3 (§2.6.10): a count, then names and values with their
// lengths, all blocks of one direction in one zlib stream that begins with the fixed dictionary.
//
// SECURITY: a small block can stand for a large one. What comes out of the decompressor is counted
// as it comes, and a block beyond the bound ends the connection.

import { constants, createDeflate, createInflate } from 'node:zlib';
import { headerDictionary } from './header-dictionary.ts';
import { SpdyError } from './spdy-frames.ts';

/** By name, in lower case; of several values the first is kept. */
export type SpdyHeaders = ReadonlyMap<string, string>;

/** Of one block, uncompressed. */
export const headerBlockBytesMax = 32 * 1024;
export const headersMax = 64;

/** Each call continues the stream of the calls before it; they are carried out in their order. */
export interface HeaderCompressor {
  compress(headers: SpdyHeaders): Promise<Uint8Array>;
  close(): void;
}
export interface HeaderDecompressor {
  /** Rejects with SpdyError. */
  decompress(block: Uint8Array): Promise<SpdyHeaders>;
  close(): void;
}

export function createHeaderCompressor(): HeaderCompressor {
  const deflate = createDeflate({
    dictionary: headerDictionary,
    flush: constants.Z_SYNC_FLUSH,
    // A window that has room for the dictionary takes a tenth of the memory of the usual one.
    windowBits: 11,
    memLevel: 1,
  });
  const collect = collector(deflate, Infinity);
  return {
    compress: (headers) => collect(encodeHeaderBlock(headers)),
    close: () => deflate.destroy(),
  };
}

export function createHeaderDecompressor(): HeaderDecompressor {
  const inflate = createInflate({
    dictionary: headerDictionary,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  const collect = collector(inflate, headerBlockBytesMax);
  return {
    decompress: async (block) => decodeHeaderBlock(await collect(block)),
    close: () => inflate.destroy(),
  };
}

type Zlib = ReturnType<typeof createDeflate> | ReturnType<typeof createInflate>;

/** Puts bytes in and gives what they come to, at most `bytesMax`. */
function collector(stream: Zlib, bytesMax: number): (bytes: Uint8Array) => Promise<Buffer> {
  let chunks: Buffer[] = [];
  let length = 0;
  let failure: SpdyError | undefined;
  const fail = (why: string) => {
    failure ??= new SpdyError(`a header block ${why}`);
    chunks = [];
    stream.destroy(failure);
  };
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > bytesMax) fail('is too long');
    else chunks.push(chunk);
  });
  stream.on('error', ({ message }) => fail(`cannot be unpacked: ${message}`));
  let last: Promise<unknown> = Promise.resolve();
  const collect = (bytes: Uint8Array): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      const closed = () => reject(failure ?? new SpdyError('the connection has ended'));
      stream.once('close', closed);
      stream.write(bytes, (error) => {
        stream.off('close', closed);
        const whole = Buffer.concat(chunks);
        chunks = [];
        length = 0;
        if (error || failure !== undefined) closed();
        else resolve(whole);
      });
    });
  return (bytes) => {
    const result = last.then(() => collect(bytes));
    last = result.catch(() => {});
    return result;
  };
}

export function encodeHeaderBlock(headers: SpdyHeaders): Uint8Array {
  const texts = [...headers].flat().map((text) => Buffer.from(text));
  const lengthOf = (value: number) => {
    const word = Buffer.alloc(4);
    word.writeUInt32BE(value);
    return word;
  };
  return Buffer.concat([
    lengthOf(headers.size),
    ...texts.flatMap((text) => [lengthOf(text.length), text]),
  ]);
}

/** Throws SpdyError. */
export function decodeHeaderBlock(block: Buffer): SpdyHeaders {
  let at = 0;
  const take = (length: number): Buffer => {
    if (length > block.length - at) throw new SpdyError('a header block is cut off');
    at += length;
    return block.subarray(at - length, at);
  };
  const count = take(4).readUInt32BE(0);
  if (count > headersMax) throw new SpdyError(`${count} headers are too many`);
  const headers = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const name = take(take(4).readUInt32BE(0)).toString();
    const value = take(take(4).readUInt32BE(0)).toString();
    if (name === '' || name !== name.toLowerCase())
      throw new SpdyError('names of headers are in lower case');
    if (headers.has(name)) throw new SpdyError('a header is there twice');
    headers.set(name, value.split('\0', 1)[0] ?? '');
  }
  if (at !== block.length) throw new SpdyError('a header block has more than its headers');
  return headers;
}
