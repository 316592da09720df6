// exec and attach for a client that speaks v5 over a WebSocket and a kubelet that speaks SPDY
// (KEP-4006): each channel becomes a stream.
//
//   0 stdin → stdin     1 stdout ← stdout     2 stderr ← stderr     4 resize → resize
//   3 ← how it ended, from the stream `error`, or from whatever went wrong on the way
//   255 0 → stdin is ended
//
// The client gets its WebSocket first; everything after that is told on channel 3.

import { finished } from 'node:stream/promises';
import { isStatusError, type Clock } from '@keelson/apimachinery';
import {
  commandChannels as channels,
  createSpdyConnection,
  remoteCommandProtocols,
  streamCloseProtocol,
  tellsSizes,
  type SpdyConnection,
  type SpdyStream,
} from '@keelson/apimachinery/streaming';
import type { WebSocket } from 'ws';
import type { RequestContext } from '../../request-context.ts';
import { readStart } from '../../transport/answer-body.ts';
import { formatAddress } from '../../transport/outbound.ts';
import type { ProxyTarget } from '../../transport/reverse-proxy.ts';
import { chosenProtocol, dialSpdy, speaksSpdy } from '../../transport/spdy-dial.ts';
import { acceptStreamSocket, loadWebSockets } from '../../transport/websocket.ts';
import { endOfCommand, failureOf, type CommandEnd } from './command-end.ts';
import { isGiven } from './query-values.ts';

const keptMessagesMax = 16;
/** Of what a kubelet says when it refuses. */
const refusalBytesMax = 50_000;
/** Messages that the client has not taken yet, before more is read from the kubelet. */
const unsentBytesMax = 256 * 1024;

/** Resolves with the status of how it went, when the connection is over. */
export async function translateStream(
  context: RequestContext,
  target: ProxyTarget,
  clock: Clock,
): Promise<number> {
  await loadWebSockets();
  const client = acceptStreamSocket(context, streamCloseProtocol);
  if (client === undefined) return 400;
  const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
  const wants = wantedStreams(context.info.query);
  // COMPAT: an empty message on the first channel there is tells the client that it may begin.
  const first = wants.stdout ? channels.stdout : wants.stderr ? channels.stderr : channels.error;
  client.send(Buffer.from([first]));
  const end = await run(context, { client, wants, target, clock, gone }).catch(failureOf);
  client.send(
    Buffer.concat([Buffer.from([channels.error]), Buffer.from(JSON.stringify(end.status))]),
  );
  // What else the client says is passed over, up to its goodbye.
  client.resume();
  client.close(1000);
  await gone;
  return end.code;
}

interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}
function wantedStreams(query: URLSearchParams): WantedStreams {
  const tty = isGiven(query, 'tty');
  return {
    stdin: isGiven(query, 'stdin'),
    stdout: isGiven(query, 'stdout'),
    stderr: isGiven(query, 'stderr') && !tty,
    tty,
  };
}

interface Translation {
  readonly client: WebSocket;
  readonly wants: WantedStreams;
  readonly target: ProxyTarget;
  readonly clock: Clock;
  readonly gone: Promise<void>;
}

async function run(context: RequestContext, translation: Translation): Promise<CommandEnd> {
  const { client, target, clock, gone } = translation;
  const takeMessages = keepMessages(client);
  const { connection, protocol } = await connect(context, target, clock);
  void gone.then(() => connection.destroy());
  try {
    const streams = await openStreams(connection, protocol, translation);
    const { error, stdin, stdout, stderr, resize } = streams;
    takeMessages(readerOf(client, { stdin, resize }));
    const said = readAll(error);
    await Promise.all([
      stdout && writeClient(client, channels.stdout, stdout),
      stderr && writeClient(client, channels.stderr, stderr),
      said,
    ]);
    return endOfCommand(protocol, await said);
  } finally {
    connection.destroy();
  }
}

async function connect(context: RequestContext, target: ProxyTarget, clock: Clock) {
  const answer = await dial(context, target);
  const { message, upgraded } = answer;
  if (upgraded === undefined || !speaksSpdy(answer)) {
    const text = (await readStart(message, refusalBytesMax)).trim();
    upgraded?.socket.destroy();
    throw new Error(`unable to upgrade connection: ${text}`);
  }
  const { socket: transport, head } = upgraded;
  const protocol = chosenProtocol(answer) ?? '';
  const connection = createSpdyConnection({ transport, head, role: 'client', clock });
  return { connection, protocol };
}

/** Fails as Go's client does. */
async function dial(context: RequestContext, target: ProxyTarget) {
  const url = `https://${formatAddress(target.address)}${target.path}${target.query}`;
  const failed = (why: string) => new Error(`error sending request: Post "${url}": ${why}`);
  try {
    const answer = await dialSpdy(context, target, remoteCommandProtocols);
    const { statusCode = 0 } = answer.message;
    if (statusCode < 300 || statusCode > 399) return answer;
    answer.message.destroy();
  } catch (error) {
    if (!isStatusError(error)) throw error;
    throw failed(error.message.replace(/^error trying to reach service: /, ''));
  }
  throw failed('redirect not allowed');
}

interface CommandStreams {
  readonly error: SpdyStream;
  readonly stdin?: SpdyStream;
  readonly stdout?: SpdyStream;
  readonly stderr?: SpdyStream;
  readonly resize?: SpdyStream;
}

async function openStreams(
  connection: SpdyConnection,
  protocol: string,
  { wants }: Translation,
): Promise<CommandStreams> {
  const open = (type: string) => connection.open(new Map([['streamtype', type]]));
  return {
    error: await open('error'),
    ...(wants.stdin && { stdin: await open('stdin') }),
    ...(wants.stdout && { stdout: await open('stdout') }),
    ...(wants.stderr && { stderr: await open('stderr') }),
    ...(wants.tty && tellsSizes(protocol) && { resize: await open('resize') }),
  };
}

type TakeMessage = (message: Buffer) => void;

/** What the client says before there is somebody to take it; after some messages it has to wait. */
function keepMessages(client: WebSocket): (take: TakeMessage) => void {
  const kept: Buffer[] = [];
  const keep = (message: Buffer) => {
    kept.push(message);
    if (kept.length >= keptMessagesMax) client.pause();
  };
  client.on('message', keep);
  return (take) => {
    client.off('message', keep);
    client.resume();
    for (const message of kept) take(message);
    client.on('message', take);
  };
}

function readerOf(
  client: WebSocket,
  { stdin, resize }: Pick<CommandStreams, 'stdin' | 'resize'>,
): TakeMessage {
  // Nothing is said on these by the kubelet; reading them shows that they have ended.
  for (const stream of [stdin, resize]) {
    stream?.resume();
    // A kubelet that takes no more input must not keep the client from closing.
    for (const event of ['drain', 'close']) stream?.on(event, () => client.resume());
  }
  return (message) => {
    const [channel, which] = message;
    if (channel === channels.close && which === channels.stdin) stdin?.end();
    const to =
      channel === channels.stdin ? stdin : channel === channels.resize ? resize : undefined;
    if (to === undefined || !to.writable) return;
    if (!to.write(message.subarray(1))) client.pause();
  };
}

async function writeClient(client: WebSocket, channel: number, from: SpdyStream): Promise<void> {
  const mark = Buffer.from([channel]);
  for await (const bytes of from as AsyncIterable<Buffer>) {
    const sent = new Promise<void>((resolve) =>
      client.send(Buffer.concat([mark, bytes]), () => resolve()),
    );
    if (client.bufferedAmount > unsentBytesMax) await sent;
  }
}

/** What is said on the stream of errors, up to a bound. */
async function readAll(stream: SpdyStream): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (part: string) => {
    if (text.length < refusalBytesMax) text += part;
  });
  await finished(stream, { writable: false });
  return text;
}
