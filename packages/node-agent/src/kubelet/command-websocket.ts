// exec and attach over a WebSocket: the first byte of a message is its channel. In the protocols
// with `base64` messages are text: the channel as a digit, and base64.
//
//   0 stdin   1 stdout   2 stderr   3 how it ended   4 size of the terminal
//   255 (v5): a channel, named by the next byte, is closed

import { Readable } from 'node:stream';
import { commandChannels as channels } from '@keelson/apimachinery/streaming';
import type { WebSocket } from 'ws';
import { runCommand, type CommandRequest } from './command-session.ts';
import { endText } from './command-end.ts';
import type { AcceptedWebSocket } from './upgrades.ts';

/** In the order of preference. */
export const commandSubprotocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
];

/** Messages that the client has not taken yet, before input is read on. */
const unsentBytesMax = 1024 * 1024;

export function serveCommandWebSocket(
  { socket, protocol }: Pick<AcceptedWebSocket, 'socket' | 'protocol'>,
  asked: CommandRequest,
): void {
  const isText = protocol.includes('base64');
  const { wants } = asked;
  let sent: Promise<void> = Promise.resolve();
  const send = (channel: number, bytes: Uint8Array) => {
    const message = isText
      ? `${channel}${Buffer.from(bytes).toString('base64')}`
      : Buffer.concat([Buffer.from([channel]), bytes]);
    sent = new Promise((resolve) => socket.send(message, () => resolve()));
  };
  const input = wants.stdin ? inputOf(socket, isText) : undefined;
  // COMPAT: an empty message tells the client that the streams are there.
  send(wants.stdout ? channels.stdout : wants.stderr ? channels.stderr : channels.error, nothing);
  runCommand(asked, {
    input,
    write: (channel, bytes) => send(channels[channel], bytes),
    drained: () => (socket.bufferedAmount > unsentBytesMax ? sent : Promise.resolve()),
    end(status) {
      const text = endText(status, protocol);
      if (text !== '') send(channels.error, Buffer.from(text));
      // What else the client says is passed over, up to its goodbye.
      input?.destroy();
      socket.resume();
      socket.close(1000);
    },
  });
}

const nothing = new Uint8Array();

function inputOf(socket: WebSocket, isText: boolean): Readable {
  const input = new Readable({ read: () => socket.resume() });
  input.on('error', () => {});
  socket.on('message', (message: Buffer) => {
    if (input.readableEnded || input.destroyed || message.length === 0) return;
    const channel = isText ? (message[0] ?? 0) - 48 : message[0];
    const rest = message.subarray(1);
    if (channel === channels.close && rest[0] === channels.stdin) input.push(null);
    if (channel !== channels.stdin) return;
    if (!input.push(isText ? Buffer.from(rest.toString(), 'base64') : rest)) socket.pause();
  });
  socket.on('close', () => input.destroy(new Error('the client has gone')));
  return input;
}
