// `kubectl port-forward`, which runs until it is stopped: reads from its output which port of this
// machine it has opened, asks something of it, and stops the program. Every wait has an end.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Forwarded {
  /** Zero when there was an answer, else what the program ended with. */
  readonly code: number | null;
  readonly answer: string;
}

/** For one answer, and for the end of a program whose connection was lost. */
const answerMs = 10_000;

/** `path` of HTTP; empty: what the port says by itself. */
export async function readForwarded(
  child: ChildProcessWithoutNullStreams,
  path: string,
): Promise<Forwarded> {
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const port = await Promise.race([portOf(child), ended.then(() => undefined)]);
  try {
    const answer = port === undefined ? '' : await ask(port, path);
    // Some programs do not end by themselves when their connection is lost.
    const timer = setTimeout(() => child.kill('SIGTERM'), answer === '' ? answerMs : 0);
    const code = await ended;
    clearTimeout(timer);
    return { code: answer === '' ? (code ?? 1) : 0, answer };
  } finally {
    child.kill('SIGKILL');
  }
}

function portOf({ stdout }: ChildProcessWithoutNullStreams): Promise<number> {
  let said = '';
  return new Promise((resolve) =>
    stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const port = /Forwarding from 127\.0\.0\.1:(\d+) ->/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    }),
  );
}

/** Empty when there is no answer. */
async function ask(port: number, path: string): Promise<string> {
  const signal = AbortSignal.timeout(answerMs);
  try {
    if (path === '') return await text(connect({ port, host: '127.0.0.1', signal }));
    return await (await fetch(`http://127.0.0.1:${port}${path}`, { signal })).text();
  } catch {
    // That is what some steps wait for; the program says why.
    return '';
  }
}
