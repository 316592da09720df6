// exec and attach over SPDY: the client opens a stream for each thing, named by the header
// `streamType`, and the command starts when all that it asked for are there.

import type { Clock } from '@keelson/apimachinery';
import { createSpdyConnection, tellsSizes, type SpdyStream } from '@keelson/apimachinery/streaming';
import { endText } from './command-end.ts';
import { runCommand, type CommandRequest, type WantedStreams } from './command-session.ts';
import type { Connection } from './upgrades.ts';

/** Streams must be there by then. */
export const streamsMs = 30_000;

export interface SpdyCommand extends CommandRequest {
  readonly connection: Connection;
  readonly protocol: string;
  readonly clock: Clock;
}

export function serveCommandSpdy(asked: SpdyCommand): void {
  const { wants, protocol, clock } = asked;
  const expected = expectedStreams(wants, protocol);
  const streams = new Map<string, SpdyStream>();
  const connection = createSpdyConnection({
    transport: asked.connection.socket,
    head: asked.connection.head,
    role: 'server',
    clock,
    takerOf(headers) {
      const type = headers.get('streamtype') ?? '';
      if (!expected.has(type) || streams.has(type)) return undefined;
      return (stream) => {
        streams.set(type, stream);
        if (streams.size < expected.size) return;
        cancel();
        start(asked, streams, () => connection.close());
      };
    },
  });
  const cancel = clock.after(streamsMs, () => connection.destroy());
  void connection.closed.then(cancel);
}

function expectedStreams(wants: WantedStreams, protocol: string): ReadonlySet<string> {
  const { stdin, stdout, stderr, tty } = wants;
  const all = { error: true, stdin, stdout, stderr, resize: tty && tellsSizes(protocol) };
  return new Set(Object.entries(all).flatMap(([type, isWanted]) => (isWanted ? [type] : [])));
}

function start(
  asked: SpdyCommand,
  streams: ReadonlyMap<string, SpdyStream>,
  close: () => void,
): void {
  const input = streams.get('stdin');
  // What the client sends on the others is of no use; sizes of terminals neither.
  for (const stream of streams.values()) if (stream !== input) stream.resume();
  runCommand(asked, {
    input,
    write: (channel, bytes) => void streams.get(channel)?.write(bytes),
    async drained() {
      for (const channel of ['stdout', 'stderr']) await drained(streams.get(channel));
    },
    end(status) {
      streams.get('stdout')?.end();
      streams.get('stderr')?.end();
      streams.get('resize')?.end();
      streams.get('error')?.end(endText(status, asked.protocol));
      input?.destroy();
      close();
    },
  });
}

function drained(stream: SpdyStream | undefined): Promise<void> | undefined {
  if (stream?.writableNeedDrain !== true || stream.destroyed) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}
