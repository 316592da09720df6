// How a log reaches the client: as text, chunk by chunk, or over a WebSocket, one message a chunk,
// after an empty one that tells the client that the stream has begun.

import { respondText, startResponse } from '../../endpoints/respond.ts';
import type { RequestContext } from '../../request-context.ts';
import {
  acceptWebSocket,
  isWebSocketRequest,
  loadWebSockets,
  streamProtocols,
  type WebSocketConnection,
} from '../../transport/websocket.ts';

type Chunks = AsyncIterable<Uint8Array>;

/** Resolves when the client has everything, or has gone. */
export async function sendLog(context: RequestContext, log: Chunks): Promise<void> {
  if (isWebSocketRequest(context.request)) return sendMessages(context, log);
  const { response } = context;
  startResponse(context, 200, 'text/plain');
  response.write('');
  try {
    for await (const chunk of log) {
      if (context.signal.aborted) break;
      if (!response.write(chunk)) await response.drained();
    }
  } catch {
    // The headers are out: cutting the connection is all that tells the client.
    return response.abort();
  }
  response.end();
}

export async function sendEmptyLog(context: RequestContext): Promise<void> {
  if (!isWebSocketRequest(context.request)) return respondText(context, '');
  await sendMessages(context, nothing());
}

async function* nothing(): Chunks {}

async function sendMessages(context: RequestContext, log: Chunks): Promise<void> {
  await loadWebSockets();
  let closed = false;
  const connection = acceptWebSocket(context, () => (closed = true), streamProtocols);
  if (connection === undefined) return;
  await sendChunk(connection, new Uint8Array());
  try {
    for await (const chunk of log) {
      if (closed) return;
      await sendChunk(connection, chunk);
    }
  } catch {
    return connection.abort();
  }
  connection.close();
}

/** Resolves when the client is ready for more. */
function sendChunk(connection: WebSocketConnection, chunk: Uint8Array): Promise<void> {
  const isText = connection.protocol === 'base64.binary.k8s.io';
  return connection.deliver(isText ? Buffer.from(chunk).toString('base64') : chunk);
}
