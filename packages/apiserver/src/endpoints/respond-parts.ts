// Answers that are put together from bytes which exist already, such as lists. They pass through
// two small buffers in turn: an answer of many megabytes in one piece costs a full garbage
// collection at every other request, and stays in memory for as long as a client is slow.

import type { RequestContext } from '../request-context.ts';
import { startResponse } from './respond.ts';

/** A body as pieces; each is copied before the next is asked for. */
export interface BodyParts {
  readonly size: number;
  readonly parts: () => Iterable<Uint8Array>;
}

const bufferBytes = 256 * 1024;

export async function respondParts(
  context: RequestContext,
  contentType: string,
  body: BodyParts,
): Promise<void> {
  const { response } = context;
  startResponse(context, 200, contentType);
  response.setHeader('content-length', String(body.size));
  if (context.request.method === 'HEAD') return response.end();
  let buffer: Buffer = Buffer.allocUnsafeSlow(Math.min(body.size, bufferBytes));
  let other: Buffer | undefined;
  let written: Promise<void> | undefined;
  let at = 0;
  for (const part of body.parts()) {
    for (let from = 0; from < part.length;) {
      if (at === buffer.length) {
        await written;
        if (context.signal.aborted) return response.abort();
        written = response.writeShared(buffer);
        [buffer, other] = [other ?? Buffer.allocUnsafeSlow(bufferBytes), buffer];
        at = 0;
      }
      const end = Math.min(part.length, from + buffer.length - at);
      buffer.set(from === 0 && end === part.length ? part : part.subarray(from, end), at);
      at += end - from;
      from = end;
    }
  }
  await written;
  response.end(buffer.subarray(0, at));
}
