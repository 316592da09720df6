// What exec and attach do in a simulated container, whatever carries their streams. A command is
// answered by the rules. A shell takes commands line by line until it is left; what is attached to
// shows its log, and a container made for debugging is a shell.

import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { execAnswerOf } from '../simulated/exec-answers.ts';
import type { ContainerRecord, PodRecord } from '../simulated/pod-record.ts';
import { logLines, runOf } from './container-log.ts';

/** A line of input that does not end is given up. */
const lineBytesMax = 64 * 1024;

export interface CommandRequest {
  readonly kind: 'exec' | 'attach';
  readonly command: readonly string[];
  readonly wants: WantedStreams;
  readonly record: PodRecord;
  readonly container: ContainerRecord;
  readonly now: () => number;
}
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The streams of a client. */
export interface CommandStreams {
  /** Absent when the client sends nothing. */
  readonly input: Readable | undefined;
  write(channel: 'stdout' | 'stderr', bytes: Uint8Array): void;
  /** Resolves when the client has taken enough of what was written, or has gone. */
  drained(): Promise<void>;
  /** Tells how it ended; nothing follows. */
  end(status: CommandStatus): void;
}

/** As the API has it; Success has no message. */
export interface CommandStatus {
  readonly metadata: object;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { reason: string; message: string }[] };
}

/** What a query asks for; a text says why it asks for nothing. */
export function wantedStreams(query: URLSearchParams): WantedStreams | string {
  const isAsked = (name: string) => query.get(name) === '1';
  const tty = isAsked('tty');
  const wanted = {
    stdin: isAsked('input'),
    stdout: isAsked('output'),
    // A terminal has one stream for both.
    stderr: isAsked('error') && !tty,
    tty,
  };
  return wanted.stdin || wanted.stdout || wanted.stderr
    ? wanted
    : 'you must specify at least 1 of stdin, stdout, stderr';
}

interface Session {
  write(channel: 'stdout' | 'stderr', output: string | Uint8Array): void;
  /** The command has ended. */
  end(exitCode: number): void;
}

export function runCommand(asked: CommandRequest, streams: CommandStreams): void {
  const { wants } = asked;
  const session: Session = {
    write(channel, output) {
      const bytes = Buffer.from(output);
      // A terminal wants to be told to go back to the beginning of the line.
      const shown = wants.tty
        ? Buffer.from(bytes.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
        : bytes;
      const to = wants.tty ? 'stdout' : channel;
      if (shown.length > 0 && wants[to]) streams.write(to, shown);
    },
    end: (exitCode) => streams.end(statusOf(exitCode)),
  };
  const reader = asked.kind === 'attach' ? attach(asked, session) : exec(asked, session);
  if (reader === undefined) return;
  if (streams.input !== undefined) void readInput(streams.input, streams, reader);
  else if (asked.kind === 'exec') reader.closed();
}

async function readInput(
  input: Readable,
  { drained }: Pick<CommandStreams, 'drained'>,
  reader: InputReader,
): Promise<void> {
  try {
    for await (const bytes of input as AsyncIterable<Buffer>) {
      reader.read(bytes);
      await drained();
    }
  } catch {
    // The client has gone, and nobody is left to be told anything.
    return;
  }
  reader.closed();
}

/** Whoever takes the input of a command that waits for some. */
interface InputReader {
  read(bytes: Buffer): void;
  closed(): void;
}

function exec(
  { container, record, command }: CommandRequest,
  session: Session,
): InputReader | undefined {
  const [program = '', ...words] = command;
  if (words.length === 0 && isShell(program)) return shell(container, session);
  if (words.length === 0 && program === 'cat')
    return { read: (bytes) => session.write('stdout', bytes), closed: () => session.end(0) };
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
  const decoder = new StringDecoder();
  return {
    read(bytes) {
      typed += decoder.write(bytes);
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

function attach({ container, now }: CommandRequest, session: Session): InputReader {
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

function statusOf(exitCode: number): CommandStatus {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}
