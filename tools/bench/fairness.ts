// What 64 ordinary clients feel of a hostile one: each reads one object every 100 ms, while the hostile one
// sends 10,000 lists of all objects over 256 connections. Measured without it, and with it under API
// Priority and Fairness and under the two bounds on concurrent requests only.
// The loop is open: a request is due at its time whether or not those before it were answered, and its
// time counts from when it was due. A closed loop asks less of a server the slower it answers, and does
// not see what waits meanwhile (coordinated omission).

import { spawn } from 'node:child_process';
import { Agent, request } from 'node:https';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { call, startServer, type BenchServer } from './server.ts';
import { busyNote, figure } from './figures.ts';
import type { Section } from './section.ts';

export const fairnessSection: Section = {
  name: 'fairness',
  heading: 'One hostile client',
  measure: async ({ program, newDirectory }) =>
    renderFairness(await measureFairness(program(), newDirectory)),
};

export interface FairnessFigures {
  readonly rows: readonly FairnessRow[];
  /** Programs that wanted a core when the measurement began. */
  readonly load: number;
}

export interface FairnessRow {
  readonly name: string;
  readonly clients: {
    readonly served: number;
    readonly failed: number;
    /** Milliseconds since the request was due. */
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
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
const intervalMs = 100;
/** Of one client; what is due beyond waits for one, and its time runs. */
const socketsMax = 8;
/** A client that has waited so long has failed. */
const patienceMs = 30_000;
const seconds = 20;
const objects = 5_000;
const lists = 10_000;
const connections = 256;

async function measureFairness(
  program: string,
  newDirectory: () => string,
): Promise<FairnessFigures> {
  const rows: FairnessRow[] = [];
  const [load = 0] = loadavg();
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
  return { rows, load };
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
  const clients = Array.from({ length: clientCount }, (_, i) => createClient(server.url, i));
  // Handshakes are not what is measured.
  for (const client of clients) await client.connect();
  const hostile = attack ? startHostile(server.url) : undefined;
  await sleep(2_000);
  const until = performance.now() + seconds * 1000;
  const all = await Promise.all(clients.map((client) => client.readUntil(until)));
  const times = all.flatMap((one) => one.times).toSorted((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(part * times.length))];
  const figures = {
    served: times.length,
    failed: all.reduce((sum, { failed }) => sum + failed, 0),
    p50: at(0.5) ?? 0,
    p99: at(0.99) ?? 0,
    p999: at(0.999) ?? 0,
    max: at(1) ?? 0,
  };
  return hostile === undefined
    ? { clients: figures }
    : { clients: figures, hostile: await hostile.stop() };
}

interface ClientFigures {
  readonly times: readonly number[];
  readonly failed: number;
}

function createClient(url: string, index: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: socketsMax });
  const object = `${url}${configMaps}/object-${index + 1}`;
  const read = () => get(object, `client-${index}`, agent);
  return {
    connect: () => Promise.all(Array.from({ length: 2 }, read)),
    async readUntil(until: number): Promise<ClientFigures> {
      const times: number[] = [];
      let failed = 0;
      const ask = async (dueAt: number) => {
        const status = await read();
        if (status === 200) times.push(performance.now() - dueAt);
        else failed++;
      };
      const asked: Promise<void>[] = [];
      let dueAt = performance.now() + (index / clientCount) * intervalMs;
      for (; dueAt < until; dueAt += intervalMs) {
        const early = dueAt - performance.now();
        if (early > 0) await sleep(early);
        asked.push(ask(dueAt));
      }
      await Promise.all(asked);
      agent.destroy();
      return { times, failed };
    },
  };
}

/** The status, or zero without an answer in time. */
function get(url: string, token: string, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    const options = { agent, headers, rejectUnauthorized: false };
    const sent = request(url, { ...options, signal: AbortSignal.timeout(patienceMs) }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', () => resolve(0));
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

function renderFairness({ rows, load }: FairnessFigures): string {
  const lines = rows.map(({ name, clients, hostile }) => {
    const { served, failed, p50, p99, p999, max } = clients;
    const lists = hostile === undefined ? '–' : `${hostile.served} / ${hostile.refused}`;
    const times = [p50, p99, p999, max].map(figure).join(' | ');
    return `| ${name} | ${served} | ${failed} | ${times} | ${lists} |`;
  });
  return `64 clients read one object every 100 ms for 20 seconds, while another one sends 10,000 lists of all 5,000
objects over 256 connections; what the 64 get. A request is due at its time whether or not those before it
were answered, and its time counts from then. Clients, hostile client and server share the cores.${busyNote(load)}

| | served | failed | p50 ms | p99 ms | p99.9 ms | longest ms | lists served / refused |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}
`;
}
