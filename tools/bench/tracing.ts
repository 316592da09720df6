// What a decision trace costs the server: the same requests, by a user whose rights come from one of a
// hundred bindings, in turns without and with `Keelson-Explain: 1`, one after the other over one connection.
// CPU time of the server's process, for other programs come and go.

import type { Section } from './section.ts';
import { call, cpuSeconds, exchange, oneConnection, startServer, type Target } from './server.ts';

export const tracingSection: Section = {
  name: 'tracing',
  heading: 'Decision traces',
  measure: async ({ program, newDirectory }) =>
    renderTracing(await measureTracing(program(), newDirectory)),
};

interface TracingRow {
  readonly name: string;
  /** Microseconds of CPU of one request. */
  readonly plainUs: number;
  readonly tracedUs: number;
}

const blocks = 12;
const warmBlocks = 3;
const requestsInBlock = 800;
const group = 'rbac.authorization.k8s.io';
const base = '/api/v1/namespaces/default';

interface Sample {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

const requests: readonly (Sample & { readonly name: string })[] = [
  { name: 'GET a ConfigMap', method: 'GET', path: `${base}/configmaps/one` },
  {
    name: 'create a ConfigMap, dry run',
    method: 'POST',
    path: `${base}/configmaps?dryRun=All`,
    body: { metadata: { name: 'made' }, data: { key: 'x'.repeat(500) } },
  },
  {
    name: 'create a Pod, dry run',
    method: 'POST',
    path: `${base}/pods?dryRun=All`,
    body: {
      metadata: { name: 'made' },
      spec: { containers: [{ name: 'c', image: 'registry.example/app:1' }] },
    },
  },
];

async function measureTracing(program: string, newDirectory: () => string): Promise<TracingRow[]> {
  const server = await startServer(program, newDirectory(), {
    flags: ['--storage=memory'],
    tokens: ['tenant,tenant,2,"tenants"'],
  });
  const agent = oneConnection();
  try {
    await prepare(server.url);
    const rows: TracingRow[] = [];
    for (const { name, ...sample } of requests)
      rows.push({ name, ...(await compare({ ...server, agent }, sample)) });
    return rows;
  } finally {
    agent.destroy();
    await server.stop();
  }
}

function renderTracing(rows: readonly TracingRow[]): string {
  const lines = rows.map(({ name, plainUs, tracedUs }) => {
    const more = (tracedUs / plainUs - 1) * 100;
    return `| ${name} | ${plainUs.toFixed(0)} | ${tracedUs.toFixed(0)} | ${more.toFixed(0)} % |`;
  });
  return [
    '| request | CPU µs | with a trace | more |',
    '| --- | ---: | ---: | ---: |',
    ...lines,
  ].join('\n');
}

async function prepare(url: string): Promise<void> {
  await call(url, 'POST', `${base}/configmaps`, { metadata: { name: 'one' } });
  for (let i = 0; i < 100; i++) {
    const name = `tenants-${i}`;
    const resources = i === 70 ? ['configmaps', 'pods'] : [`things-${i}`];
    await call(url, 'POST', `/apis/${group}/v1/clusterroles`, {
      metadata: { name },
      rules: [
        { apiGroups: [''], resources, verbs: ['get', 'create'] },
        { apiGroups: ['keelson.dev'], resources: ['decisiontraces'], verbs: ['create'] },
      ],
    });
    await call(url, 'POST', `/apis/${group}/v1/clusterrolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name },
      subjects: [{ apiGroup: group, kind: 'Group', name: 'tenants' }],
    });
  }
}

interface ServedTarget extends Target {
  readonly pid: number;
}

async function compare(target: ServedTarget, sample: Sample): Promise<Omit<TracingRow, 'name'>> {
  const spent = { plain: 0, traced: 0 };
  for (let block = 0; block < blocks; block++) {
    const plain = await spend(target, sample, false);
    const traced = await spend(target, sample, true);
    if (block < warmBlocks) continue;
    spent.plain += plain;
    spent.traced += traced;
  }
  const count = (blocks - warmBlocks) * requestsInBlock;
  return { plainUs: (spent.plain * 1e6) / count, tracedUs: (spent.traced * 1e6) / count };
}

/** Seconds of CPU of a block. */
async function spend(target: ServedTarget, sample: Sample, isTraced: boolean): Promise<number> {
  const before = cpuSeconds(target.pid);
  for (let i = 0; i < requestsInBlock; i++) await send(target, sample, isTraced);
  return cpuSeconds(target.pid) - before;
}

async function send(target: ServedTarget, sample: Sample, isTraced: boolean): Promise<void> {
  const headers: Record<string, string> = isTraced ? { 'keelson-explain': '1' } : {};
  const answer = await exchange(target, { ...sample, token: 'tenant', headers });
  if ((answer.statusCode ?? 500) >= 400 || isTraced !== 'keelson-trace' in answer.headers)
    throw new Error(`${sample.method} ${sample.path}: ${answer.statusCode}`);
}
