// The sending half of a SPDY connection: frames in the order in which they are given, but for
// header blocks, which take a moment to be packed.

import type { Duplex } from 'node:stream';
import { createHeaderCompressor, type SpdyHeaders } from './header-block.ts';
import {
  dataBytesMax,
  encodeControlFrame,
  encodeDataFrame,
  type ControlFrame,
} from './spdy-frames.ts';

export interface OutgoingFrames {
  control(frame: ControlFrame): void;
  /** Resolves when the frame is on its way. */
  headers(type: 'synStream' | 'synReply', streamId: number, headers: SpdyHeaders): Promise<void>;
  /** `done` when more may follow. */
  data(streamId: number, bytes: Uint8Array, fin: boolean, done: (error?: Error) => void): void;
  /**
   * Resolves when the peer has taken enough of what was sent: who does not read answers gets no
   * more of them. Not to be awaited for data: two sides that both do would wait for each other.
   */
  drained(): Promise<void>;
  close(): void;
}

export function createOutgoingFrames(transport: Duplex): OutgoingFrames {
  const compressor = createHeaderCompressor();
  const waiting: ((error?: Error) => void)[] = [];
  let isClosed = false;
  const wake = (error?: Error) => {
    for (const done of waiting.splice(0)) done(error);
  };
  transport.on('drain', () => wake());
  transport.on('error', () => {});
  const write = (bytes: Uint8Array): boolean =>
    isClosed || transport.writableEnded || transport.destroyed || transport.write(bytes);
  const control = (frame: ControlFrame) => void write(encodeControlFrame(frame));
  return {
    control,
    async headers(type, streamId, headers) {
      const block = await compressor.compress(headers);
      control({ type, streamId, fin: false, block });
    },
    data(streamId, bytes, fin, done) {
      if (isClosed) return done(new Error('the connection has ended'));
      let isRoom = true;
      let at = 0;
      do {
        const part = bytes.subarray(at, at + dataBytesMax);
        at += part.byteLength;
        isRoom = write(encodeDataFrame(streamId, part, fin && at >= bytes.byteLength));
      } while (at < bytes.byteLength);
      if (isRoom) done();
      else waiting.push(done);
    },
    async drained() {
      if (!transport.writableNeedDrain || isClosed) return;
      await new Promise<void>((resolve) => waiting.push(() => resolve()));
    },
    close() {
      isClosed = true;
      compressor.close();
      wake(new Error('the connection has ended'));
    },
  };
}
