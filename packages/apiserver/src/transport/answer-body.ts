// Reads what another server answers, up to a bound: whole, or only how it begins.

import type { IncomingMessage } from 'node:http';

/**
 * Rejects when the body is larger, and lets the rest of it go; `what` names it in the error. Rejects
 * also when the connection ends before the body does.
 */
export async function readWhole(
  message: IncomingMessage,
  bytesMax: number,
  what: string,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > bytesMax) throw new Error(`${what} is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** As UTF-8; the rest is not read. */
export async function readStart(message: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= bytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8');
}
