// exec and attach over WebSockets, protocols v5.channel.k8s.io and v4.channel.k8s.io: the first byte
// of a message is its channel.
//
//   0 stdin   1 stdout   2 stderr   3 how it ended, as a Status   4 size of the terminal
//   255 (v5): a channel, named by the next byte, is closed
//
// A command is answered by the rules. A shell takes commands line by line until it is left; what is
// attached to shows its log, and a container made for debugging is a shell.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { execAnswerOf } from '../simulated/exec-answers.ts';
import type { ContainerRecord, PodRecord } from '../simulated/pod-record.ts';
import { logLines, runOf } from './container-log.ts';

export const streamProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const;
/** One message of a client. */
const messageBytesMax = 1024 * 1024;
/** A line of input that does not end is given up. */
const lineBytesMax = 64 * 1024;

export interface StreamRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly query: URLSearchParams;
  readonly record: PodRecord;
  readonly container: ContainerRecord;
  readonly kind: 'exec' | 'attach';
  readonly now: () => number;
}

export async function serveStreams(asked: StreamRequest): Promise<void> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
    handleProtocols: (offered) => streamProtocols.find((one) => offered.has(one)) ?? false,
  });
  server.handleUpgrade(asked.request, asked.socket, asked.head, (opened) => {
    opened.on('error', () => {});
    run(opened, asked);
  });
}

interface Session {
  write(channel: 'stdout' | 'stderr', text: string): void;
  /** The command has ended. */
  end(exitCode: number): void;
}

function run(socket: WebSocket, asked: StreamRequest): void {
  const { query } = asked;
  const hasTerminal = query.get('tty') === '1';
  const send = (channel: number, text: string) =>
    socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
  const session: Session = {
    write(channel, text) {
      // A terminal has one stream, and wants to be told to go back to the beginning of the line.
      const shown = hasTerminal ? text.replace(/\r?\n/g, '\r\n') : text;
      if (shown !== '') send(hasTerminal ? channels.stdout : channels[channel], shown);
    },
    end(exitCode) {
      send(channels.error, JSON.stringify(statusOf(exitCode)));
      socket.close(1000);
    },
  };
  const command = query.getAll('command');
  const reader = asked.kind === 'attach' ? attach(asked, session) : exec(asked, command, session);
  if (reader === undefined) return;
  const hasInput = query.get('input') === '1';
  if (!hasInput && asked.kind === 'exec') return reader.closed();
  socket.on('message', (message: Buffer) => {
    const [channel, which] = message;
    if (channel === channels.stdin) reader.read(message.subarray(1).toString());
    if (channel === channels.close && which === channels.stdin) reader.closed();
  });
}

/** Whoever takes the input of a command that waits for some. */
interface InputReader {
  read(text: string): void;
  closed(): void;
}

function exec(
  { container, record }: StreamRequest,
  command: readonly string[],
  session: Session,
): InputReader | undefined {
  const [program = '', ...words] = command;
  if (words.length === 0 && isShell(program)) return shell(container, session);
  if (words.length === 0 && program === 'cat')
    return { read: (text) => session.write('stdout', text), closed: () => session.end(0) };
  if (words.length === 0 && program === 'hostname') {
    session.write('stdout', `${record.pod.spec?.hostname ?? record.pod.metadata?.name}\n`);
    session.end(0);
    return undefined;
  }
  const { output, error, exitCode } = answerOf(container, command);
  session.write('stdout', output);
  session.write('stderr', error);
  session.end(exitCode);
  return undefined;
}

const isShell = (program: string) => /(?:^|\/)(?:ba|da|a)?sh$/.test(program);

/** Of `sh -c LINE` the whole is asked for first, then the line. */
function answerOf({ behaviour }: ContainerRecord, command: readonly string[]) {
  const [program = '', flag, line] = command;
  const whole = execAnswerOf(behaviour.exec, command);
  const isScript = isShell(program) && flag === '-c' && line !== undefined;
  if (!isScript || whole.exitCode !== 127) return whole;
  return execAnswerOf(behaviour.exec, line.trim().split(/\s+/));
}

function shell({ behaviour }: ContainerRecord, session: Session): InputReader {
  let typed = '';
  let lastCode = 0;
  const runLine = (line: string): boolean => {
    const words = line.trim().split(/\s+/);
    if (words[0] === 'exit') {
      session.end(Number(words[1] ?? lastCode) & 255);
      return false;
    }
    if (words[0] === '') return true;
    const { output, error, exitCode } = execAnswerOf(behaviour.exec, words);
    session.write('stdout', output);
    session.write('stderr', error);
    lastCode = exitCode;
    return true;
  };
  let isOpen = true;
  return {
    read(text) {
      typed += text;
      if (typed.length > lineBytesMax) typed = '';
      const lines = typed.split(/[\r\n]/);
      typed = lines.pop() ?? '';
      for (const line of lines) if (isOpen) isOpen = runLine(line);
    },
    closed() {
      if (isOpen && (typed.trim() === '' || runLine(typed))) session.end(lastCode);
      isOpen = false;
    },
  };
}

function attach({ container, now }: StreamRequest, session: Session): InputReader {
  if (container.role === 'ephemeral') return shell(container, session);
  const run = runOf(container, false);
  const options = {
    previous: false,
    timestamps: false,
    tailLines: undefined,
    sinceMs: undefined,
  };
  if (run !== undefined)
    for (const line of logLines(container, { run, now: now(), first: 0 }, options).lines)
      session.write('stdout', line);
  return { read: () => {}, closed: () => session.end(0) };
}

function statusOf(exitCode: number): object {
  const status = { metadata: {}, status: exitCode === 0 ? 'Success' : 'Failure' };
  if (exitCode === 0) return status;
  return {
    ...status,
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}
