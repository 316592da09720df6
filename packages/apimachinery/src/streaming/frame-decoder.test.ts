// Frames and header blocks there and back, cut anywhere; and what a hostile peer may send.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { controlFrameBytesMax, createFrameDecoder } from './frame-decoder.ts';
import {
  createHeaderCompressor,
  createHeaderDecompressor,
  decodeHeaderBlock,
  encodeHeaderBlock,
  headerBlockBytesMax,
  headersMax,
} from './header-block.ts';
import { headerDictionary } from './header-dictionary.ts';
import {
  encodeControlFrame,
  encodeDataFrame,
  SpdyError,
  type ControlFrame,
  type DataPart,
} from './spdy-frames.ts';

const id = fc.integer({ min: 1, max: 0x7fff_ffff });
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const block = fc.uint8Array({ maxLength: 200 });
const controlFrame: fc.Arbitrary<ControlFrame> = fc.oneof(
  fc.record({
    type: fc.constantFrom('synStream' as const, 'synReply' as const, 'headers' as const),
    streamId: id,
    fin: fc.boolean(),
    block,
  }),
  fc.record({ type: fc.constant('rstStream' as const), streamId: id, status: word }),
  fc.record({
    type: fc.constant('settings' as const),
    settings: fc.array(fc.record({ id: fc.integer({ min: 0, max: 0xff_ffff }), value: word }), {
      maxLength: 5,
    }),
  }),
  fc.record({ type: fc.constant('ping' as const), id: word }),
  fc.record({ type: fc.constant('goAway' as const), lastStreamId: id, status: word }),
  fc.record({ type: fc.constant('windowUpdate' as const), streamId: id, delta: id }),
);
const dataFrame: fc.Arbitrary<DataPart> = fc.record({
  type: fc.constant('data' as const),
  streamId: id,
  fin: fc.boolean(),
  bytes: block,
});

const encode = (frame: ControlFrame | DataPart): Uint8Array =>
  frame.type === 'data'
    ? encodeDataFrame(frame.streamId, frame.bytes, frame.fin)
    : encodeControlFrame(frame);

/** Parts of one data frame as the frame that they were, bytes as plain arrays. */
function joined(frames: readonly (ControlFrame | DataPart)[]): unknown[] {
  const whole: unknown[] = [];
  let open: number[] | undefined;
  for (const frame of frames) {
    if (frame.type !== 'data') {
      whole.push(structuredClone('block' in frame ? { ...frame, block: [...frame.block] } : frame));
      continue;
    }
    open = [...(open ?? []), ...frame.bytes];
    if (!frame.fin) continue;
    whole.push({ ...frame, bytes: open });
    open = undefined;
  }
  return whole;
}

test('frames arrive as they were sent, wherever they are cut', () => {
  // Every data frame ends its stream, so that its parts can be told from those of the next.
  const final = dataFrame.map((frame) => ({ ...frame, fin: true }));
  const frames = fc.array(fc.oneof(controlFrame, final), { maxLength: 10 });
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 64 }), (sent, size) => {
      const bytes = Buffer.concat(sent.map(encode));
      const decoder = createFrameDecoder();
      const received: (ControlFrame | DataPart)[] = [];
      for (let at = 0; at < bytes.length; at += size)
        received.push(...decoder.decode(bytes.subarray(at, at + size)));
      assert.deepEqual(joined(received), joined(sent));
    }),
  );
});

test('whatever bytes come, the decoder gives frames or says what is wrong', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (chunks) => {
      const decoder = createFrameDecoder();
      try {
        for (const chunk of chunks)
          for (const frame of decoder.decode(chunk)) assert.ok(frame.type);
      } catch (error) {
        assert.ok(error instanceof SpdyError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('one changed byte in a frame does no more than that', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(controlFrame, dataFrame), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (frames, where, change) => {
        const bytes = Buffer.concat(frames.map(encode));
        const at = where % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ change;
        try {
          const decoded = [...createFrameDecoder().decode(bytes)];
          const size = decoded.reduce((sum, f) => sum + ('bytes' in f ? f.bytes.length : 0), 0);
          assert.ok(size <= bytes.length);
        } catch (error) {
          assert.ok(error instanceof SpdyError, String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

const control = (type: number, length: number, payload: readonly number[] = [], version = 3) =>
  Buffer.from([
    0x80,
    version,
    0,
    type,
    0,
    length >> 16,
    (length >> 8) & 255,
    length & 255,
    ...payload,
  ]);
const malformed: readonly (readonly [string, Buffer, RegExp])[] = [
  ['another version', control(6, 4, [0, 0, 0, 1], 2), /version 2/],
  ['a control frame beyond the bound', control(1, controlFrameBytesMax + 1), /too long/],
  ['the longest control frame that can be said', control(4, 0xff_ffff), /too long/],
  ['a ping of five bytes', control(6, 5, [0, 0, 0, 1, 1]), /wrong length/],
  ['a reset without status', control(3, 4, [0, 0, 0, 1]), /wrong length/],
  ['a stream without its fields', control(1, 9, [0, 0, 0, 1, 0, 0, 0, 0, 0]), /wrong length/],
  ['a reply of stream 0', control(2, 4, [0, 0, 0, 0]), /stream 0/],
  ['more settings than are there', control(4, 12, [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1]), /length/],
  ['settings without a count', control(4, 2, [0, 0]), /wrong length/],
  ['four thousand million settings', control(4, 4, [255, 255, 255, 255]), /wrong length/],
  ['data of stream 0', Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 1]), /stream 0/],
];
for (const [name, bytes, message] of malformed)
  test(`${name} is refused`, () => {
    assert.throws(() => [...createFrameDecoder().decode(bytes)], message);
  });

test('data is handed on before its frame is whole', () => {
  const decoder = createFrameDecoder();
  const frame = encodeDataFrame(1, Buffer.alloc(10_000_000, 7), true);
  const [first] = decoder.decode(frame.subarray(0, 108));
  assert.ok(first?.type === 'data');
  assert.deepEqual([first.bytes.length, first.fin], [100, false]);
});

test('header blocks of one connection build on each other', async () => {
  const headers = fc.array(
    fc.dictionary(fc.stringMatching(/^[a-z-]{1,20}$/), fc.string({ maxLength: 50 }), {
      maxKeys: 8,
    }),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(headers, async (list) => {
      const compressor = createHeaderCompressor();
      const decompressor = createHeaderDecompressor();
      const sent = list.map((one) => new Map(Object.entries(one)));
      const blocks = await Promise.all(sent.map((one) => compressor.compress(one)));
      const received = await Promise.all(blocks.map((one) => decompressor.decompress(one)));
      compressor.close();
      decompressor.close();
      const first = (value: string) => value.split('\0', 1)[0];
      assert.deepEqual(
        received.map((one) => [...one]),
        sent.map((one) => [...one].map(([name, value]) => [name, first(value)])),
      );
    }),
    { numRuns: 30 },
  );
});

const packed = (bytes: Uint8Array) =>
  deflateSync(bytes, { dictionary: headerDictionary, finishFlush: constants.Z_SYNC_FLUSH });
const hostileBlocks: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['thirty million zeros in some kilobytes', packed(Buffer.alloc(30_000_000)), /too long/],
  ['one byte more than the bound', packed(Buffer.alloc(headerBlockBytesMax + 1)), /too long/],
  ['plain bytes', Buffer.from('no zlib at all'), /cannot be unpacked/],
  ['another dictionary', deflateSync('x', { dictionary: Buffer.from('other') }), /unpacked/],
  ['nothing', new Uint8Array(), /cut off/],
  ['a count without headers', packed(Buffer.from([0, 0, 0, 1])), /cut off/],
  ['a length beyond the block', packed(Buffer.from([0, 0, 0, 1, 255, 255, 255, 255])), /cut off/],
  ['four thousand million headers', packed(Buffer.from([255, 255, 255, 255])), /too many/],
];
for (const [name, bytes, message] of hostileBlocks)
  test(`a header block of ${name} is refused, and all after it`, async () => {
    const decompressor = createHeaderDecompressor();
    await assert.rejects(decompressor.decompress(bytes), message);
    if (/unpacked|too long/.test(message.source))
      await assert.rejects(decompressor.decompress(packed(encodeHeaderBlock(new Map()))), message);
    decompressor.close();
  });

const badHeaders: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['a name in upper case', encodeHeaderBlock(new Map([['Port', '1']])), /lower case/],
  ['a header without a name', encodeHeaderBlock(new Map([['', '1']])), /lower case/],
  [
    'the same header twice',
    Buffer.from([0, 0, 0, 2, 0, 0, 0, 1, 97, 0, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 0, 0]),
    /twice/,
  ],
  ['more than its headers', Buffer.concat([encodeHeaderBlock(new Map()), Buffer.alloc(1)]), /more/],
  [
    'too many headers',
    encodeHeaderBlock(
      new Map(Array.from({ length: headersMax + 1 }, (_, at) => [`name-${at}`, ''])),
    ),
    /too many/,
  ],
];
for (const [name, bytes, message] of badHeaders)
  test(`a block with ${name} is refused`, () => {
    assert.throws(() => decodeHeaderBlock(Buffer.from(bytes)), message);
  });
