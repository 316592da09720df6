// What simulated nodes cost: how long a thousand of them take to register, what a hundred of them
// use while nothing happens, and how long a thousand pods take on them until all are Running.
// In one process, without a socket. The pods come from a Deployment when something schedules them,
// else each names its node.

import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import { createCluster } from '@keelson/keelson';
import type { Section } from './section.ts';

interface NodeFigures {
  readonly registrationMs: number;
  readonly registered: number;
  /** Of one core, while nothing happens. */
  readonly idlePercent: number;
  readonly nodes: number;
  readonly runningMs: number;
  /** Until then. */
  readonly runningCpuMs: number;
  readonly pods: number;
  readonly source: 'a Deployment' | 'pods that name their node';
}

export const nodesSection: Section = {
  name: 'nodes',
  heading: 'Simulated nodes',
  measure: async () => renderNodes(await measureNodes()),
};

const manyNodes = 1_000;
const nodes = 100;
const pods = 1_000;
/** What has started has found its rhythm. */
const settlingMs = 15_000;
const idleMs = 20_000;
const patienceMs = 120_000;
const schedulingMs = 2_000;
const labels = { app: 'bench' };
const podSpec = { containers: [{ name: 'app', image: 'app:1' }] };

async function measureNodes(): Promise<NodeFigures> {
  const started = performance.now();
  const many = await createCluster({ nodes: manyNodes });
  const registrationMs = performance.now() - started;
  await many.close();
  await using cluster = await createCluster({ nodes });
  using client = cluster.client();
  await sleep(settlingMs);
  const idlePercent = await measureIdle();
  const isScheduled = await somethingSchedules(client);
  const from = performance.now();
  const before = process.cpuUsage();
  await (isScheduled ? createDeployment(client) : createPods(client));
  await untilRunning(client);
  const { user, system } = process.cpuUsage(before);
  return {
    registrationMs,
    registered: manyNodes,
    idlePercent,
    nodes,
    runningMs: performance.now() - from,
    runningCpuMs: (user + system) / 1_000,
    pods,
    source: isScheduled ? 'a Deployment' : 'pods that name their node',
  };
}

function renderNodes(figures: NodeFigures): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  return [
    `${figures.registered} nodes are registered after ${seconds(figures.registrationMs)}.`,
    `${figures.nodes} nodes use ${figures.idlePercent.toFixed(1)} % of a core at rest.`,
    `${figures.pods} pods on ${figures.nodes} nodes, from ${figures.source}:`,
    `Running after ${seconds(figures.runningMs)}, which took ${seconds(figures.runningCpuMs)} of processor time.`,
    '',
  ].join('\n');
}

async function measureIdle(): Promise<number> {
  const before = process.cpuUsage();
  await sleep(idleMs);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1_000 / idleMs) * 100;
}

const podsOf = (client: Client) =>
  client.resource({ group: '', version: 'v1', resource: 'pods' }).namespace('default');
const podOf = (name: string, nodeName?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: nodeName === undefined ? podSpec : { ...podSpec, nodeName },
});

async function somethingSchedules(client: Client): Promise<boolean> {
  await podsOf(client).create({ ...podOf('probe'), metadata: { name: 'probe' } });
  await sleep(schedulingMs);
  const { spec } = await podsOf(client).get('probe');
  await podsOf(client).delete('probe', { gracePeriodSeconds: 0 });
  return (spec as { readonly nodeName?: string }).nodeName !== undefined;
}

async function createDeployment(client: Client): Promise<void> {
  const deployments = client.resource({ group: 'apps', version: 'v1', resource: 'deployments' });
  await deployments.namespace('default').create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'bench' },
    spec: {
      replicas: pods,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec },
    },
  });
}

async function createPods(client: Client): Promise<void> {
  const all = Array.from({ length: pods }, (_, at) =>
    podOf(`bench-${at}`, `node-${(at % nodes) + 1}`),
  );
  await Promise.all(all.map((pod) => podsOf(client).create(pod)));
}

async function untilRunning(client: Client): Promise<void> {
  const running = new Set<string>();
  const signal = AbortSignal.timeout(patienceMs);
  const changes = podsOf(client).watch({ labelSelector: 'app=bench', signal });
  for await (const { type, object } of changes) {
    const { phase } = (object['status'] ?? {}) as { readonly phase?: string };
    if (type === 'BOOKMARK' || phase !== 'Running') continue;
    running.add(object.metadata.name ?? '');
    if (running.size === pods) return;
  }
}
