// The frames of SPDY/3.1 (SPDY Protocol, draft 3, §2.2 and §2.6), as values and as bytes. Header
// blocks are carried as they are on the wire; what is in them says `header-block.ts`.
//
//   control   1 | version 3 (15) | type (16) | flags (8) | length (24) | payload
//   data      0 | stream (31)                | flags (8) | length (24) | bytes

const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Why a stream was reset (§2.6.3). */
export const resetStatus = {
  protocolError: 1,
  refusedStream: 3,
  cancel: 5,
  streamAlreadyClosed: 9,
} as const;

/** Why a connection ends (§2.6.6). */
export const goAwayStatus = { ok: 0, protocolError: 1 } as const;

interface Setting {
  readonly id: number;
  readonly value: number;
}

export type ControlFrame =
  | {
      readonly type: 'synStream';
      readonly streamId: number;
      readonly fin: boolean;
      readonly block: Uint8Array;
    }
  | {
      readonly type: 'synReply' | 'headers';
      readonly streamId: number;
      readonly fin: boolean;
      readonly block: Uint8Array;
    }
  | { readonly type: 'rstStream'; readonly streamId: number; readonly status: number }
  | { readonly type: 'settings'; readonly settings: readonly Setting[] }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goAway'; readonly lastStreamId: number; readonly status: number }
  | { readonly type: 'windowUpdate'; readonly streamId: number; readonly delta: number };

/** A part of a data frame, as it has come; `fin` is with the last part only. */
export interface DataPart {
  readonly type: 'data';
  readonly streamId: number;
  readonly fin: boolean;
  readonly bytes: Uint8Array;
}

/** What a peer may not send; the connection cannot go on. */
export class SpdyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SpdyError';
  }
}

export const frameHeaderBytes = 8;
const version = 3;
const finFlag = 1;
const maxId = 0x7fff_ffff;
/** What the 24 bits of a length can say. */
export const dataBytesMax = 0xff_ffff;

export function encodeControlFrame(frame: ControlFrame): Uint8Array {
  switch (frame.type) {
    case 'synStream':
      // Associated with no stream, of the highest priority, in no slot.
      return control(frame, words(frame.streamId, 0), new Uint8Array(2), frame.block);
    case 'synReply':
    case 'headers':
      return control(frame, words(frame.streamId), frame.block);
    case 'rstStream':
      return control(frame, words(frame.streamId, frame.status));
    case 'settings':
      return control(
        frame,
        words(frame.settings.length, ...frame.settings.flatMap(({ id, value }) => [id, value])),
      );
    case 'ping':
      return control(frame, words(frame.id));
    case 'goAway':
      return control(frame, words(frame.lastStreamId, frame.status));
    case 'windowUpdate':
      return control(frame, words(frame.streamId, frame.delta));
  }
}

/** At most `dataBytesMax` bytes. */
export function encodeDataFrame(streamId: number, bytes: Uint8Array, fin: boolean): Uint8Array {
  const head = words(streamId, bytes.byteLength);
  head[4] = fin ? finFlag : 0;
  return Buffer.concat([head, bytes]);
}

function control(frame: ControlFrame, ...payload: readonly Uint8Array[]): Uint8Array {
  const length = payload.reduce((sum, part) => sum + part.byteLength, 0);
  const head = words(((0x8000 | version) << 16) | frameTypes[frame.type], length);
  head[4] = 'fin' in frame && frame.fin ? finFlag : 0;
  return Buffer.concat([head, ...payload]);
}

function words(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) buffer.writeUInt32BE(value >>> 0, at * 4);
  return buffer;
}

/** The first eight bytes of a frame. */
export interface FrameHead {
  /** Absent for data. */
  readonly control?: { readonly version: number; readonly type: number };
  readonly streamId: number;
  readonly flags: number;
  readonly length: number;
}

export function decodeFrameHead(bytes: Buffer): FrameHead {
  const first = bytes.readUInt32BE(0);
  const flags = bytes.readUInt8(4);
  const length = bytes.readUIntBE(5, 3);
  if (first <= maxId) return { streamId: first, flags, length };
  const found = { version: (first >>> 16) & 0x7fff, type: first & 0xffff };
  return { control: found, streamId: 0, flags, length };
}

export const isFin = ({ flags }: FrameHead): boolean => (flags & finFlag) !== 0;

/**
 * Undefined for types that nobody knows, which are passed over (§2.2.1). Throws SpdyError for
 * payloads that are not what their type says.
 */
export function decodeControlFrame(head: FrameHead, payload: Buffer): ControlFrame | undefined {
  const { control: found } = head;
  if (found?.version !== version) throw new SpdyError(`version ${found?.version} is not spoken`);
  const fin = isFin(head);
  switch (found.type) {
    case frameTypes.synStream:
      return { type: 'synStream', ...withBlock(payload, 10), fin };
    case frameTypes.synReply:
      return { type: 'synReply', ...withBlock(payload, 4), fin };
    case frameTypes.headers:
      return { type: 'headers', ...withBlock(payload, 4), fin };
    case frameTypes.rstStream: {
      const [id, status] = twoWords(payload);
      return { type: 'rstStream', streamId: streamIdOf(id), status };
    }
    case frameTypes.settings:
      return { type: 'settings', settings: settingsOf(payload) };
    case frameTypes.ping:
      if (payload.length !== 4) throw wrongLength();
      return { type: 'ping', id: payload.readUInt32BE(0) };
    case frameTypes.goAway: {
      const [last, status] = twoWords(payload);
      return { type: 'goAway', lastStreamId: last & maxId, status };
    }
    case frameTypes.windowUpdate: {
      // Stream 0 is the connection (SPDY/3.1).
      const [id, delta] = twoWords(payload);
      return { type: 'windowUpdate', streamId: id & maxId, delta: delta & maxId };
    }
    default:
      return undefined;
  }
}

function withBlock(payload: Buffer, blockAt: number) {
  if (payload.length < blockAt) throw wrongLength();
  return { streamId: streamIdOf(payload.readUInt32BE(0)), block: payload.subarray(blockAt) };
}

function twoWords(payload: Buffer): readonly [number, number] {
  if (payload.length !== 8) throw wrongLength();
  return [payload.readUInt32BE(0), payload.readUInt32BE(4)];
}

function settingsOf(payload: Buffer): Setting[] {
  const count = payload.length < 4 ? -1 : payload.readUInt32BE(0);
  if (payload.length !== 4 + count * 8) throw wrongLength();
  return Array.from({ length: count }, (_, at) => ({
    id: payload.readUIntBE(4 + at * 8 + 1, 3),
    value: payload.readUInt32BE(4 + at * 8 + 4),
  }));
}

function streamIdOf(word: number): number {
  const id = word & maxId;
  if (id === 0) throw new SpdyError('stream 0 is nobody’s');
  return id;
}

const wrongLength = () => new SpdyError('a control frame has the wrong length');
