// The answer of a watch: headers once, then frames; over a WebSocket, one message an event. What the
// client does not read is counted, and a client that lets too much pile up is cut off, so that it
// cannot fill the server's memory.

import {
  acceptWebSocket,
  isWebSocketRequest,
  type WebSocketConnection,
} from '../transport/websocket.ts';
import type { MediaType, OutputFormat } from './negotiation.ts';
import type { ResourceRequest } from './resource-request.ts';
import { startResponse } from './respond.ts';

export interface WatchStream {
  /** Sends the headers; must come before the first frame. */
  open(): void;
  write(frame: Uint8Array): void;
  /**
   * What to wait for before writing more, when there is much that the client has not taken yet. Only
   * for what can wait, such as initial events; changes come when they come.
   */
  untilTaken(): Promise<void> | undefined;
  end(): void;
}

const protobufType = 'application/vnd.kubernetes.protobuf';

/** How the media types are called when they come as a stream; YAML does not. */
const streamTypes: Partial<Record<MediaType, string>> = {
  [protobufType]: `${protobufType};stream=watch`,
  'application/cbor': 'application/cbor-seq',
};

/** Enough to keep a fast connection busy, little enough for thousands of watchers to begin at once. */
const waitAboveBytes = 256 * 1024;

/** `onClosed` is called when the client has gone, or was cut off. */
export function createWatchStream(
  request: ResourceRequest,
  format: OutputFormat,
  onClosed: () => void,
): WatchStream {
  return isWebSocketRequest(request.context.request)
    ? createMessageStream(request, format, onClosed)
    : createByteStream(request, format, onClosed);
}

function createByteStream(
  request: ResourceRequest,
  format: OutputFormat,
  onClosed: () => void,
): WatchStream {
  const { response } = request.context;
  const backlogMax = request.services.limits.watchBacklogBytesMax;
  let opened = false;
  let ended = false;
  let backlog = 0;
  return {
    open() {
      if (opened) return;
      opened = true;
      startResponse(request.context, 200, streamTypes[format.mediaType] ?? 'application/json');
      // An empty chunk makes the transport send the headers now, not with the first event.
      response.write('');
      if (ended) response.end();
    },
    write(frame) {
      if (ended || !opened) return;
      if (response.write(frame)) {
        backlog = 0;
        return;
      }
      if (backlog === 0) void response.drained().then(() => (backlog = 0));
      backlog += frame.byteLength;
      if (backlog > backlogMax) {
        ended = true;
        response.abort();
        onClosed();
      }
    },
    untilTaken: () => (backlog < waitAboveBytes || ended ? undefined : response.drained()),
    end() {
      if (ended) return;
      ended = true;
      if (opened) response.end();
    },
  };
}

/** Length of a frame of protobuf, which a message has already. */
const frameHeaderBytes = 4;
const drainCheckMs = 20;

/** COMPAT: the subprotocol decides nothing: JSON is text, protobuf is binary. */
function createMessageStream(
  request: ResourceRequest,
  format: OutputFormat,
  onClosed: () => void,
): WatchStream {
  const { context, services } = request;
  const isProtobuf = format.mediaType === protobufType;
  let connection: WebSocketConnection | undefined;
  let ended = false;
  const close = () => {
    ended = true;
    onClosed();
  };
  const untilTaken = (): Promise<void> | undefined => {
    if (ended || connection === undefined || connection.buffered() < waitAboveBytes)
      return undefined;
    return new Promise<void>((resolve) => services.clock.after(drainCheckMs, resolve)).then(
      untilTaken,
    );
  };
  return {
    open() {
      if (connection !== undefined || ended) return;
      connection = acceptWebSocket(context, close);
      if (connection === undefined) close();
    },
    write(frame) {
      if (ended || connection === undefined) return;
      connection.send(
        isProtobuf ? frame.subarray(frameHeaderBytes) : Buffer.from(frame).toString('utf8'),
      );
      if (connection.buffered() <= services.limits.watchBacklogBytesMax) return;
      connection.abort();
      close();
    },
    untilTaken,
    end() {
      if (ended) return;
      ended = true;
      connection?.close();
    },
  };
}
