// `keelson up` in a process of its own, with a token that may do everything and one that may do
// nothing.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Target } from './connection.ts';

export interface ServerProcess {
  readonly target: Target;
  readonly adminToken: string;
  readonly nobodyToken: string;
  /** Resident memory in MiB. */
  memoryMiB(): number;
  /** What the server wrote to its log. */
  log(): string;
  /** The exit code, while it should still be running. */
  readonly exited: number | undefined;
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../../../packages/keelson/src/main.ts', import.meta.url));

export async function startServerProcess(): Promise<ServerProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-fuzz-'));
  const tokens = join(directory, 'tokens.csv');
  writeFileSync(tokens, 'fuzz-admin,fuzz-admin,1,"system:masters"\nfuzz-nobody,fuzz-nobody,2,""\n');
  const args = [
    'up',
    '--nodes=0',
    '--storage=memory',
    '--secure-port=0',
    `--data-dir=${directory}`,
    `--token-auth-file=${tokens}`,
  ];
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  let exited: number | undefined;
  child.stderr.on('data', (chunk: Buffer) => {
    if (log.length < 1_000_000) log += chunk.toString();
  });
  const ended = new Promise<void>((resolve) =>
    child.once('exit', (code) => {
      exited = code ?? -1;
      resolve();
    }),
  );
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`the server ended with exit code ${code}: ${log}`)),
    );
    child.stdout.on('data', (chunk: Buffer) => {
      const match = /https:\/\/127\.0\.0\.1:(\d+)/.exec(chunk.toString());
      if (match !== null) resolve(Number(match[1]));
    });
  });
  return {
    target: { host: '127.0.0.1', port },
    adminToken: 'fuzz-admin',
    nobodyToken: 'fuzz-nobody',
    memoryMiB: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) /
      1024,
    log: () => log,
    get exited() {
      return exited;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
