// A SPDY/3.1 connection over any two-way stream, from either side: opens streams, takes those that
// the peer opens, answers pings, and ends.
//
// COMPAT: there are no windows. The implementation that Kubernetes' programs share sends no
// WINDOW_UPDATE and heeds none; who does not read makes the connection wait, and with it the peer.
//
// SECURITY: streams, frames, headers and what is kept unread are bounded; a peer that breaks the
// protocol loses the connection, and one that is silent for too long, too.

import type { CancelTimer } from '../clock.ts';
import { createFrameDecoder } from './frame-decoder.ts';
import type { SpdyHeaders } from './header-block.ts';
import { goAwayStatus, SpdyError } from './spdy-frames.ts';
import { SpdySession, type SpdySessionOptions } from './spdy-session.ts';
import type { SpdyStream } from './spdy-stream.ts';

export interface SpdyConnectionOptions extends SpdySessionOptions {
  /** What has been read of the transport already. */
  readonly head?: Uint8Array;
}

export interface SpdyConnection {
  /** Resolves with a stream that the peer has taken; rejects when it does not, or not in time. */
  open(headers: SpdyHeaders): Promise<SpdyStream>;
  /** Says goodbye. The peer has some seconds to read what was sent, and to close. */
  close(): void;
  /** Ends it at once. */
  destroy(): void;
  /** Resolves when it is over, however it ended. */
  readonly closed: Promise<void>;
}

/** As kubelets' `streamingConnectionIdleTimeout`. */
const idleMs = 4 * 3_600_000;
const closeMs = 10_000;

export function createSpdyConnection(options: SpdyConnectionOptions): SpdyConnection {
  const { transport, clock } = options;
  const session = new SpdySession(options);
  const closed = Promise.withResolvers<void>();
  let cancelClose: CancelTimer | undefined;
  const over = () => {
    cancelClose?.();
    session.over();
    transport.destroy();
    closed.resolve();
  };
  // Whatever the peer or the transport did, it is over, and whoever has a stream sees that.
  readFrames(options, session).then(over, over);
  return {
    open: (headers) => session.open(headers),
    close() {
      if (cancelClose !== undefined || transport.destroyed) return;
      session.goAway(goAwayStatus.ok);
      cancelClose = clock.after(closeMs, () => transport.destroy());
    },
    destroy: () => void transport.destroy(),
    closed: closed.promise,
  };
}

async function readFrames(
  { transport, head = new Uint8Array(), clock }: SpdyConnectionOptions,
  session: SpdySession,
): Promise<void> {
  const decoder = createFrameDecoder();
  let heardAt = clock.monotonic();
  let cancelIdle: CancelTimer = () => {};
  const watch = (leftMs: number) => {
    cancelIdle = clock.after(leftMs, () => {
      const left = heardAt + idleMs - clock.monotonic();
      if (left > 0) watch(left);
      else transport.destroy();
    });
  };
  watch(idleMs);
  const take = async (bytes: Uint8Array) => {
    heardAt = clock.monotonic();
    try {
      for (const frame of decoder.decode(bytes)) await session.receive(frame);
    } catch (error) {
      if (error instanceof SpdyError) session.goAway(goAwayStatus.protocolError);
      throw error;
    }
  };
  try {
    await take(head);
    for await (const bytes of transport as AsyncIterable<Uint8Array>) await take(bytes);
  } finally {
    cancelIdle();
  }
}
