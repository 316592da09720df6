// The answer of a watch: headers once, then frames. What the client does not read is counted, and
// a client that lets too much pile up is cut off, so that it cannot fill the server's memory.

import type { OutputFormat } from './negotiation.ts';
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

/** Enough to keep a fast connection busy, little enough for thousands of watchers to begin at once. */
const waitAboveBytes = 256 * 1024;

export function createWatchStream(
  request: ResourceRequest,
  format: OutputFormat,
  onOverflow: () => void,
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
      const protobuf = format.mediaType === 'application/vnd.kubernetes.protobuf';
      startResponse(
        request.context,
        200,
        protobuf ? 'application/vnd.kubernetes.protobuf;stream=watch' : 'application/json',
      );
      // An empty chunk makes the transport send the headers now, not with the first event.
      response.write('');
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
        onOverflow();
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
