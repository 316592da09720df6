// What large bodies cost: a pod with 30 containers, decoded from JSON and from protobuf, and sent
// through the whole server in memory (all admission plugins; no HTTP, no disk).

import { loadavg } from 'node:os';
import {
  decodeObject,
  decodeProtobufMessage,
  encodeProtobufMessage,
  typeForKind,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import { createCluster } from '@keelson/keelson';
import { busyNote, figure } from './figures.ts';
import type { Section } from './section.ts';

export const bodiesSection: Section = {
  name: 'bodies',
  heading: 'A pod with 30 containers',
  measure: async () => renderBodies(await measureBodies()),
};

export interface BodyFigures {
  readonly rows: readonly BodyRow[];
  /** Programs that wanted a core when the measurement began. */
  readonly load: number;
}
export interface BodyRow {
  readonly name: string;
  /** Milliseconds each: of this process, which other programs hardly change. */
  readonly cpu: number;
  /** Of the clock, the median. */
  readonly p50: number;
}

const rounds = 200;
const warmUp = 100;
const pods = '/api/v1/namespaces/default/pods';

async function measureBodies(): Promise<BodyFigures> {
  const [load = 0] = loadavg();
  await using cluster = await createCluster({ controllers: ['serviceaccount-controller'] });
  const client = cluster.client();
  await untilAccepted(client);
  const send = (method: string, url: string, type: string, body: object) => {
    const { pathname: path, searchParams } = new URL(url, 'https://server');
    const headers = { 'content-type': type };
    return client.send({ method, path, query: [...searchParams], headers, body: encode(body) });
  };
  const rows = await measureDecoding();
  const add = async (name: string, work: (i: number) => Promise<unknown>) =>
    void rows.push(await time(name, work));

  await add('create', (i) => send('POST', pods, json, pod(`created-${i}`, 0)));
  await add('create, unknown fields refused', (i) =>
    send('POST', `${pods}?fieldValidation=Strict`, json, pod(`strict-${i}`, 0)),
  );
  await send('POST', pods, json, pod('patched', 0));
  await add('strategic merge patch of one image', (i) =>
    send('PATCH', `${pods}/patched`, 'application/strategic-merge-patch+json', {
      spec: { containers: [{ name: 'c15', image: `image:${i}` }] },
    }),
  );
  const apply = (i: number) =>
    send('PATCH', `${pods}/applied?fieldManager=bench`, 'application/apply-patch+yaml', {
      apiVersion: 'v1',
      kind: 'Pod',
      ...pod('applied', i),
    });
  await add('server-side apply, one image changed', apply);
  await add('server-side apply, nothing changed', () => apply(warmUp + rounds));
  return { rows, load };
}

async function measureDecoding(): Promise<BodyRow[]> {
  const type = typeForKind({ group: '', version: 'v1', kind: 'Pod' });
  if (type === undefined) throw new Error('no schema of pods');
  const text = encode(pod('p', 0));
  const message = encodeProtobufMessage(pod('p', 0), type);
  const kib = (bytes: Uint8Array) => `${(bytes.length / 1024).toFixed(1)} KiB`;
  const tenTimes = (work: () => unknown) => () => {
    for (let i = 0; i < 10; i++) work();
    return Promise.resolve();
  };
  return [
    await time(
      `decode JSON (${kib(text)}) ten times`,
      tenTimes(() => decodeObject(text, type, { strict: true })),
    ),
    await time(
      `decode protobuf (${kib(message)}) ten times`,
      tenTimes(() => decodeProtobufMessage(message, type)),
    ),
  ];
}

/** The namespace and its service account come by themselves. */
async function untilAccepted(client: Client): Promise<void> {
  for (let i = 0; i < 100; i++) {
    try {
      await client.send({
        method: 'GET',
        path: '/api/v1/namespaces/default/serviceaccounts/default',
      });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('no service account');
}

async function time(name: string, work: (i: number) => Promise<unknown>): Promise<BodyRow> {
  for (let i = 0; i < warmUp; i++) await work(i);
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let i = warmUp; i < warmUp + rounds; i++) {
    const startedAt = performance.now();
    await work(i);
    times.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(before);
  const p50 = times.toSorted((a, b) => a - b)[rounds / 2] ?? 0;
  return { name, cpu: (user + system) / 1000 / rounds, p50 };
}

const json = 'application/json';
const encode = (body: object) => Buffer.from(JSON.stringify(body));

function pod(name: string, revision: number): KubeObject {
  const container = (_: unknown, i: number) => ({
    name: `c${i}`,
    image: i === 15 ? `image:${revision}` : 'registry.example/team/image:1.2.3',
    command: ['/bin/run', '--verbose'],
    ports: [{ name: `p${i}`, containerPort: 8000 + i, protocol: 'TCP' }],
    env: Array.from({ length: 5 }, (__, j) => ({ name: `VARIABLE_${j}`, value: `value ${j}` })),
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
    readinessProbe: { httpGet: { path: '/ready', port: `p${i}` }, periodSeconds: 5 },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  });
  return {
    metadata: { name, labels: { app: 'bench' } },
    spec: {
      containers: Array.from({ length: 30 }, container),
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  };
}

function renderBodies({ rows, load }: BodyFigures): string {
  const lines = rows.map(({ name, cpu, p50 }) => `| ${name} | ${figure(cpu)} | ${figure(p50)} |`);
  return `Decoded, and sent one after the other through the whole server in memory, with all admission plugins but without HTTP
and disk.${busyNote(load)}

| | CPU ms | p50 ms |
|---|---|---|
${lines.join('\n')}
`;
}
