// Bytes of a SPDY connection, cut anywhere, into frames. A control frame is kept until it is whole,
// so its length is bounded; data is handed on as it comes, however long its frame is.

import {
  decodeControlFrame,
  decodeFrameHead,
  frameHeaderBytes,
  isFin,
  SpdyError,
  type ControlFrame,
  type DataPart,
  type FrameHead,
} from './spdy-frames.ts';

/** Headers of a stream take some hundred bytes. */
export const controlFrameBytesMax = 16 * 1024;

export interface FrameDecoder {
  /** The frames that these bytes complete, one by one. Throws SpdyError. */
  decode(bytes: Uint8Array): Generator<ControlFrame | DataPart, void>;
}

export function createFrameDecoder(): FrameDecoder {
  /** What has come of a head or of a control frame. */
  let kept: Buffer = Buffer.alloc(0);
  let head: FrameHead | undefined;
  /** Bytes of the current data frame that are still to come. */
  let dataLeft = 0;

  /** As soon as `wanted` bytes are there, those; what is left of the input is the second. */
  const gather = (input: Buffer, wanted: number): [Buffer | undefined, Buffer] => {
    const missing = wanted - kept.length;
    const whole = Buffer.concat([kept, input.subarray(0, missing)]);
    const rest = input.subarray(missing);
    kept = whole.length === wanted ? Buffer.alloc(0) : whole;
    return [whole.length === wanted ? whole : undefined, rest];
  };
  return {
    *decode(bytes) {
      let input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (;;) {
        if (head === undefined) {
          if (input.length === 0) return;
          const [found, rest] = gather(input, frameHeaderBytes);
          input = rest;
          if (found === undefined) return;
          head = checkedHead(decodeFrameHead(found));
          dataLeft = head.length;
        }
        if (head.control === undefined) {
          if (input.length === 0 && dataLeft > 0) return;
          const part = input.subarray(0, dataLeft);
          input = input.subarray(part.length);
          dataLeft -= part.length;
          const fin = dataLeft === 0 && isFin(head);
          const { streamId } = head;
          if (dataLeft === 0) head = undefined;
          yield { type: 'data', streamId, fin, bytes: part };
          continue;
        }
        const [payload, rest] = gather(input, head.length);
        input = rest;
        if (payload === undefined) return;
        const frame = decodeControlFrame(head, payload);
        head = undefined;
        if (frame !== undefined) yield frame;
      }
    },
  };
}

function checkedHead(head: FrameHead): FrameHead {
  if (head.control !== undefined && head.length > controlFrameBytesMax)
    throw new SpdyError(`a control frame of ${head.length} bytes is too long`);
  if (head.control === undefined && head.streamId === 0)
    throw new SpdyError('data of stream 0 is nobody’s');
  return head;
}
