// A thousand CustomResourceDefinitions with an object each: what each costs in memory, what creating
// them costs others, how soon discovery and OpenAPI know of one, and what start-up costs.

import { request, Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, token, type BenchServer } from './server.ts';
import { figure, seconds } from './figures.ts';
import type { Section } from './section.ts';

export const definitionsSection: Section = {
  name: 'definitions',
  heading: 'A thousand custom resource definitions',
  measure: async ({ program, newDirectory }) =>
    renderDefinitions(await measureDefinitions(program(), newDirectory)),
};

export interface DefinitionFigures {
  readonly definitions: number;
  readonly groups: number;
  /** Bytes of one definition as JSON. */
  readonly definitionBytes: number;
  readonly createPerSec: number;
  /** Resident growth by definition and object, KiB. */
  readonly residentKiBEach: number;
  /** The same once every document of discovery and OpenAPI was asked for. */
  readonly residentAllKiBEach: number;
  /** GET of a ConfigMap by another client: alone, and while a definition comes every 100 ms. */
  readonly quietMs: Percentiles;
  readonly meanwhileMs: Percentiles;
  /** From the answer of a create to the documents that have the new resource. */
  readonly servedMs: number;
  readonly discoveryMs: number;
  readonly aggregatedMs: number;
  readonly openApiV3Ms: number;
  readonly openApiV2Ms: number;
  /** Requests per second of the whole aggregated document, and its size. */
  readonly aggregatedPerSec: number;
  readonly aggregatedBytes: number;
  /** Others' slowest GET while both forms of OpenAPI and discovery are made anew. */
  readonly documentsMeanwhileMs: Percentiles;
  readonly startMs: number;
}
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const definitions = 1000;
const groups = 50;

async function measureDefinitions(
  program: string,
  newDirectory: () => string,
): Promise<DefinitionFigures> {
  const directory = newDirectory();
  const server = await startServer(program, directory);
  const client = createCaller(server.url);
  const other = createCaller(server.url);
  await other.expect(201, 'POST', configMaps, { metadata: { name: 'probe' } });
  await sleep(3000);
  const quietMs = await probeWhile(other, sleep(3000));
  const before = server.residentMiB();
  const startedAt = performance.now();
  await fill(client, 0, definitions);
  const seconds = (performance.now() - startedAt) / 1000;
  await sleep(5000);
  const grownKiBEach = () => ((server.residentMiB() - before) * 1024) / definitions;
  const residentKiBEach = grownKiBEach();
  const documents = await measureDocuments(client, other);
  const meanwhileMs = await probeWhile(other, trickle(client));
  await sleep(3000);
  const residentAllKiBEach = grownKiBEach();
  client.close();
  other.close();
  await server.stop();
  return {
    definitions,
    groups,
    definitionBytes: JSON.stringify(definitionOf(0)).length,
    createPerSec: (definitions * 2) / seconds,
    residentKiBEach,
    residentAllKiBEach,
    quietMs,
    meanwhileMs,
    ...documents,
    startMs: await measureStart(program, directory),
  };
}

async function measureStart(program: string, directory: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const server: BenchServer = await startServer(program, directory);
    times.push(server.readyMs);
    const client = createCaller(server.url);
    // A start that leaves the work for later is none.
    const { apiVersion, plural } = namesOf(definitions - 1);
    await client.expect(200, 'GET', `/apis/${apiVersion}/namespaces/default/${plural}/one`);
    client.close();
    await server.stop();
  }
  return Math.min(...times);
}

async function measureDocuments(client: Caller, other: Caller) {
  // All documents have been asked for before, as they have in any cluster.
  await touchDocuments(client);
  const index = definitions;
  await client.expect(201, 'POST', crds, definitionOf(index));
  const createdAt = performance.now();
  const { apiVersion, plural } = namesOf(index);
  const path = `/apis/${apiVersion}/namespaces/default/${plural}`;
  const until = async (url: string, has: string, headers: Record<string, string> = {}) => {
    for (;;) {
      const { status, body } = await client.call('GET', url, undefined, headers);
      if (status === 200 && body.includes(has)) return performance.now() - createdAt;
      if (performance.now() - createdAt > 30_000) throw new Error(`${url} lacks ${has}`);
    }
  };
  const work = async () => ({
    servedMs: await until(path, '"items"'),
    discoveryMs: await until(`/apis/${apiVersion}`, plural),
    aggregatedMs: await until('/apis', `"${plural}"`, aggregated),
    openApiV3Ms: await until(`/openapi/v3/apis/${apiVersion}`, plural),
    openApiV2Ms: await until('/openapi/v2', `${plural}/{name}`),
  });
  let times: Awaited<ReturnType<typeof work>> | undefined;
  const documentsMeanwhileMs = await probeWhile(
    other,
    work().then((result) => void (times = result)),
  );
  if (times === undefined) throw new Error('unreachable: the work was awaited');
  const { body } = await client.call('GET', '/apis', undefined, aggregated);
  const startedAt = performance.now();
  const calls = 100;
  for (let i = 0; i < calls; i++) await client.call('GET', '/apis', undefined, aggregated);
  const aggregatedPerSec = (calls * 1000) / (performance.now() - startedAt);
  return { ...times, documentsMeanwhileMs, aggregatedPerSec, aggregatedBytes: body.length };
}

const aggregated = {
  accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
};

/** A few more definitions, as people create them. */
async function trickle(client: Caller): Promise<void> {
  for (let i = 1; i <= 30; i++) {
    await client.expect(201, 'POST', crds, definitionOf(definitions + i));
    await sleep(100);
  }
}

async function touchDocuments(client: Caller): Promise<void> {
  await client.expect(200, 'GET', '/apis');
  await client.call('GET', '/apis', undefined, aggregated);
  await client.expect(200, 'GET', '/openapi/v2');
  await client.expect(200, 'GET', '/openapi/v3');
  for (let group = 0; group < groups; group++)
    await client.expect(200, 'GET', `/openapi/v3/apis/${namesOf(group).apiVersion}`);
}

/** Gets one object again and again until the work is done. */
async function probeWhile(caller: Caller, work: Promise<unknown>): Promise<Percentiles> {
  let done = false;
  const finished = work.finally(() => (done = true));
  const times: number[] = [];
  while (!done) {
    const startedAt = performance.now();
    await caller.expect(200, 'GET', `${configMaps}/probe`);
    times.push(performance.now() - startedAt);
    await sleep(1);
  }
  await finished;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function fill(client: Caller, from: number, count: number): Promise<void> {
  let next = from;
  const worker = async () => {
    while (next < from + count) {
      const index = next++;
      await client.expect(201, 'POST', crds, definitionOf(index));
      const { apiVersion, plural, kind } = namesOf(index);
      const path = `/apis/${apiVersion}/namespaces/default/${plural}`;
      const object = { apiVersion, kind, metadata: { name: 'one' }, spec: { name: 'one' } };
      for (;;) {
        const { status } = await client.call('POST', path, object);
        if (status === 201) break;
        if (status !== 404) throw new Error(`${path}: ${status}`);
        await sleep(5);
      }
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const configMaps = '/api/v1/namespaces/default/configmaps';

function namesOf(index: number) {
  const group = `group-${index % groups}.example.com`;
  const kind = `Thing${index}`;
  return { group, apiVersion: `${group}/v1`, kind, plural: `${kind.toLowerCase()}s` };
}

/** Like those of operators: thirty fields with descriptions, conditions, columns. */
function definitionOf(index: number): object {
  const { group, kind, plural } = namesOf(index);
  const description =
    'What this is for, in a sentence or two, as generators copy it from the code.';
  const field = (type: string) => ({ type, description: `${description} ${type}` });
  const properties = Object.fromEntries(
    Array.from({ length: 24 }, (_, i) => [
      `field${i}`,
      {
        type: 'object',
        description,
        properties: { name: field('string'), size: field('integer'), on: field('boolean') },
      },
    ]),
  );
  const list = {
    type: 'array',
    description,
    items: { type: 'object', properties: { name: field('string') }, required: ['name'] },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  };
  const openAPIV3Schema = {
    type: 'object',
    description,
    properties: {
      apiVersion: field('string'),
      kind: field('string'),
      metadata: { type: 'object' },
      spec: { type: 'object', properties: { name: field('string'), ...properties, list } },
      status: { type: 'object', properties: { phase: field('string'), conditions: list } },
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind, shortNames: [`t${index}`], categories: ['things'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema },
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Name', type: 'string', jsonPath: '.spec.name' }],
        },
      ],
    },
  };
}

interface Caller {
  call(
    method: string,
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly body: string }>;
  expect(status: number, method: string, path: string, body?: object): Promise<void>;
  close(): void;
}

/** A client that keeps its connections. */
function createCaller(url: string): Caller {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  const caller: Caller = {
    call: (method, path, body, extra = {}) =>
      new Promise((resolve, reject) => {
        const headers = {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...extra,
        };
        const sent = request(url + path, { method, headers, agent }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
          );
        });
        sent.on('error', reject);
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    async expect(status, method, path, body) {
      const answer = await caller.call(method, path, body);
      if (answer.status !== status)
        throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
    },
    close: () => agent.destroy(),
  };
  return caller;
}

function renderDefinitions(figures: DefinitionFigures): string {
  const { definitionBytes, aggregatedBytes } = figures;
  const times = ({ p50, p99, max }: Percentiles) =>
    `${figure(p50)} / ${figure(p99)} / ${figure(max)} ms`;
  const kib = (bytes: number) => `${Math.round(bytes / 1024).toLocaleString('en')} KiB`;
  const each = (value: number) => `${value.toFixed(0)} KiB`;
  const rows: readonly (readonly [string, string])[] = [
    ['definitions and objects created per second', figure(figures.createPerSec)],
    ['resident for each definition with its object', each(figures.residentKiBEach)],
    ['the same when all documents are in memory too', each(figures.residentAllKiBEach)],
    ['start to `/readyz`', seconds(figures.startMs)],
    ['GET of another object, p50 / p99 / max: alone', times(figures.quietMs)],
    ['while ten definitions a second are created', times(figures.meanwhileMs)],
    ['while all documents are made anew', times(figures.documentsMeanwhileMs)],
    ['after one more definition: the resource answers', `${figure(figures.servedMs)} ms`],
    ['its group in discovery', `${figure(figures.discoveryMs)} ms`],
    ['aggregated discovery', `${figure(figures.aggregatedMs)} ms`],
    ['its OpenAPI version 3 document', `${figure(figures.openApiV3Ms)} ms`],
    ['the OpenAPI version 2 document', `${figure(figures.openApiV2Ms)} ms`],
    [`aggregated discovery (${kib(aggregatedBytes)}) per second`, figure(figures.aggregatedPerSec)],
  ];
  return `Definitions of ${kib(definitionBytes)} in ${figures.groups} groups, with an object each.

| | Keelson |
|---|---|
${rows.map(([what, value]) => `| ${what} | ${value} |`).join('\n')}
`;
}
