// A `keelson up` of its own for each measurement, with a token that may do everything.

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const token = 'bench';

export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process to the first 200 of /readyz. */
  readonly readyMs: number;
  residentMiB(): number;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly flags?: readonly string[];
  /** Further lines of the token file. */
  readonly tokens?: readonly string[];
}

/** `program` is the built one; state and token file go to `directory`. */
export async function startServer(
  program: string,
  directory: string,
  options: ServerOptions = {},
): Promise<BenchServer> {
  const port = await freePort();
  const tokens = join(directory, 'tokens.csv');
  const lines = [`${token},bench,1,"system:masters"`, ...(options.tokens ?? [])];
  writeFileSync(tokens, lines.map((line) => `${line}\n`).join(''));
  const flags = [
    `--data-dir=${directory}`,
    '--nodes=0',
    `--secure-port=${port}`,
    `--token-auth-file=${tokens}`,
    ...(options.flags ?? []),
  ];
  const startedAt = performance.now();
  const child = spawn(process.execPath, [program, 'up', ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `https://127.0.0.1:${port}`;
  await untilReady(url, child);
  const readyMs = performance.now() - startedAt;
  const pid = child.pid ?? 0;
  return {
    url,
    pid,
    readyMs,
    residentMiB: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    if ((await call(url, 'GET', '/readyz').catch(() => 0)) === 200) return;
    await sleep(5);
  }
}

/** Answers the status. */
export async function call(
  url: string,
  method: string,
  path: string,
  body?: object,
): Promise<number> {
  const { statusCode = 0 } = await exchange({ url }, { method, path, ...(body && { body }) });
  return statusCode;
}

export interface Target {
  readonly url: string;
  /** Keeps connections between requests; a new one for each when absent. */
  readonly agent?: Agent;
}
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  /** In place of the token that may do everything. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer, read to its end. */
export function exchange({ url, agent }: Target, asked: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method, path, body } = asked;
    const headers = {
      authorization: `Bearer ${asked.token ?? token}`,
      'content-type': 'application/json',
      ...asked.headers,
    };
    const options = { method, headers, ...(agent ? { agent } : { rejectUnauthorized: false }) };
    const sent = request(url + path, options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer));
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A connection that is kept, one request after the other. */
export function oneConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
}

/** Seconds of CPU that a process has used. */
export function cpuSeconds(pid: number): number {
  // After the name, which may hold anything: the fields from the third on.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Of `/proc/<pid>/stat`, in Linux on every common machine. */
const ticksPerSecond = 100;

/** A port that nobody uses now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
