// What 64 ordinary clients feel of a hostile one: each reads one object every 50 ms, while the hostile one
// sends 10,000 lists of all objects over 256 connections. Measured without it, and with it under API
// Priority and Fairness and under the two bounds on concurrent requests only.

import { spawn } from 'node:child_process';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { call, startServer, type BenchServer } from './server.ts';

export interface FairnessRow {
  readonly name: string;
  readonly clients: {
    readonly served: number;
    readonly failed: number;
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
  };
  readonly hostile?: HostileOutcomes;
}
export interface HostileOutcomes {
  readonly served: number;
  readonly refused: number;
  readonly failed: number;
}

const clientCount = 64;
const thinkMs = 50;
const seconds = 20;
const objects = 5_000;
const lists = 10_000;
const connections = 256;

export async function measureFairness(
  program: string,
  newDirectory: () => string,
): Promise<FairnessRow[]> {
  const rows: FairnessRow[] = [];
  for (const [name, fair, attack] of [
    ['nobody hostile', true, false],
    ['with priority and fairness', true, true],
    ['with bounds on concurrent requests only', false, true],
  ] as const) {
    const server = await startServer(program, newDirectory(), {
      flags: [`--enable-priority-and-fairness=${fair}`],
      tokens: [
        'hostile,hostile,h,"tenants"',
        ...Array.from({ length: clientCount }, (_, i) => `client-${i},client-${i},c${i},"tenants"`),
      ],
    });
    try {
      await prepare(server);
      rows.push({ name, ...(await measure(server, attack)) });
    } finally {
      await server.stop();
    }
  }
  return rows;
}

const configMaps = '/api/v1/namespaces/default/configmaps';

async function prepare(server: BenchServer): Promise<void> {
  const group = 'rbac.authorization.k8s.io';
  await call(server.url, 'POST', `/apis/${group}/v1/clusterrolebindings`, {
    metadata: { name: 'tenants' },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: group, kind: 'Group', name: 'tenants' }],
  });
  let left = objects;
  const worker = async () => {
    while (left > 0) {
      const name = `object-${left--}`;
      const body = { metadata: { name }, data: { key: 'x'.repeat(500) } };
      const status = await call(server.url, 'POST', configMaps, body);
      if (status !== 201) throw new Error(`${name}: ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function measure(server: BenchServer, attack: boolean): Promise<Omit<FairnessRow, 'name'>> {
  const hostile = attack ? startHostile(server.url) : undefined;
  await sleep(2_000);
  const until = performance.now() + seconds * 1000;
  const all = await Promise.all(
    Array.from({ length: clientCount }, (_, i) => beClient(server.url, i, until)),
  );
  const times = all.flatMap((one) => one.times).toSorted((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(part * times.length))];
  const clients = {
    served: times.length,
    failed: all.reduce((sum, { failed }) => sum + failed, 0),
    p50: at(0.5) ?? 0,
    p99: at(0.99) ?? 0,
    max: at(1) ?? 0,
  };
  return hostile === undefined ? { clients } : { clients, hostile: await hostile.stop() };
}

interface ClientFigures {
  readonly times: readonly number[];
  readonly failed: number;
}

async function beClient(url: string, index: number, until: number): Promise<ClientFigures> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  let failed = 0;
  await sleep((index / clientCount) * thinkMs);
  while (performance.now() < until) {
    const startedAt = performance.now();
    const status = await get(url + `${configMaps}/object-${index + 1}`, `client-${index}`, agent);
    if (status === 200) times.push(performance.now() - startedAt);
    else failed++;
    await sleep(thinkMs);
  }
  agent.destroy();
  return { times, failed };
}

function get(url: string, token: string, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request(url, { agent, headers, rejectUnauthorized: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', () => resolve(0));
    sent.end();
  });
}

function startHostile(url: string): { stop(): Promise<HostileOutcomes> } {
  const file = fileURLToPath(new URL('hostile.ts', import.meta.url));
  const args = [file, url, '/api/v1/configmaps', 'hostile', String(lists), String(connections)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    async stop() {
      child.kill('SIGTERM');
      await ended;
      return JSON.parse(printed) as HostileOutcomes;
    },
  };
}
