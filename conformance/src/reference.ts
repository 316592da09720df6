// Where the reference recordings are, and one run of their replay program against a fresh Keelson.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface AreaResult {
  readonly cases: number;
  readonly exact: number;
  readonly status: number;
  readonly mismatch: number;
}
export interface Failure {
  readonly id: string;
  /** `status`: the HTTP statuses agree, a body does not. */
  readonly result: 'status' | 'mismatch';
  readonly diffs: readonly (readonly [path: string, expected: unknown, got: unknown])[];
}
export interface ReplayResult {
  readonly seconds: number;
  readonly areas: Readonly<Record<string, AreaResult>>;
  readonly failures: readonly Failure[];
}

/** `KEELSON_REFERENCE`, else the folder beside the repository; undefined when there is none. */
export function findReference(): string | undefined {
  const directory = process.env['KEELSON_REFERENCE'] ?? join(root, '..', 'shared', 'reference');
  return existsSync(join(directory, 'replay.mjs')) ? directory : undefined;
}

export function readFloors(): Readonly<Record<string, number>> {
  return JSON.parse(readFileSync(join(root, 'conformance', 'floors.json'), 'utf8')) as Record<
    string,
    number
  >;
}

/** What else runs beside the API server that the recordings were made with. */
export type ReplaySetting = 'api' | 'cluster';

const flagsOf: Readonly<Record<ReplaySetting, readonly string[]>> = {
  api: [
    '--controllers=namespace-controller,garbage-collector-controller,clusterrole-aggregation-controller',
  ],
  // All controllers and the scheduler, with the period of the recorded controller manager.
  cluster: ['--horizontal-pod-autoscaler-sync-period=2s'],
};
const clusterAreas: readonly string[] = ['controllers', 'scheduler'];

/** Replays the areas, each against a server that runs what its recordings allow for. */
export async function replay(reference: string, areas: readonly string[]): Promise<ReplayResult> {
  const isAboutCluster = (area: string) => clusterAreas.includes(area);
  const parts = [
    await replayWith(
      'api',
      reference,
      areas.filter((area) => !isAboutCluster(area)),
    ),
    await replayWith('cluster', reference, areas.filter(isAboutCluster)),
  ];
  return {
    seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
    areas: Object.assign({}, ...parts.map((part) => part.areas)) as ReplayResult['areas'],
    failures: parts.flatMap(({ failures }) => failures),
  };
}

async function replayWith(
  setting: ReplaySetting,
  reference: string,
  areas: readonly string[],
): Promise<ReplayResult> {
  const files = areas.map((area) => join(reference, 'cases', `${area}.jsonl`)).filter(existsSync);
  if (files.length === 0) return { seconds: 0, areas: {}, failures: [] };
  const server = await startReplayServer(setting);
  const access = ['--server', server.url, '--ca', server.caFile, '--token', server.token];
  try {
    const program = join(reference, 'replay.mjs');
    const output = await run(process.execPath, [program, '--json', ...access, ...files]);
    return JSON.parse(output) as ReplayResult;
  } finally {
    await server.stop();
  }
}

export interface ReplayServer {
  readonly url: string;
  /** PEM of the authority, and the file that has it. */
  readonly ca: string;
  readonly caFile: string;
  /** Of a member of system:masters. */
  readonly token: string;
  stop(): Promise<void>;
}

/** A server as the recordings presume it, in a process of its own. */
export async function startReplayServer(setting: ReplaySetting = 'api'): Promise<ReplayServer> {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-replay-'));
  // A token, for a client certificate would speak for requests that test other credentials.
  const token = randomBytes(16).toString('hex');
  const server = await startServer(directory, token, flagsOf[setting]);
  const caFile = join(directory, 'pki', 'ca.crt');
  return {
    url: server.url,
    ca: readFileSync(caFile, 'utf8'),
    caFile,
    token,
    async stop() {
      server.process.kill('SIGTERM');
      await new Promise((resolve) => server.process.once('exit', resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface RunningServer {
  readonly process: ChildProcess;
  readonly url: string;
}

function startServer(
  directory: string,
  token: string,
  flags: readonly string[],
): Promise<RunningServer> {
  const tokens = join(directory, 'tokens.csv');
  writeFileSync(tokens, `${token},replay,,"system:masters"\n`, { mode: 0o600 });
  const child = spawn(
    process.execPath,
    [
      join(root, 'packages/keelson/src/main.ts'),
      'up',
      '--nodes=0',
      '--secure-port=0',
      `--data-dir=${directory}`,
      `--token-auth-file=${tokens}`,
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`the server ended with exit code ${code} before it was ready`)),
    );
    child.stdout?.on('data', (chunk: Buffer) => {
      const url = /https:\/\/\S+/.exec(chunk.toString())?.[0];
      if (url === undefined) return;
      child.removeAllListeners('exit');
      resolve({ process: child, url });
    });
  });
}

function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve(Buffer.concat(chunks).toString('utf8'))
        : reject(new Error(`the replay ended with exit code ${code}`)),
    );
  });
}

export const repositoryRoot = root;
