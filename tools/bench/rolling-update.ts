// Whether a rolling update of ten thousand pods leaves anything in memory: a Deployment of that size
// is updated again and again, and after each round what is held is measured when all garbage has
// been collected and the events deleted. In one process, without a socket.

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { KubeObject } from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import { createCluster } from '@keelson/keelson';
import { seconds } from './figures.ts';
import type { Section } from './section.ts';

interface Round {
  readonly cpuMs: number;
  readonly heldMiB: number;
}

export const rollingUpdateSection: Section = {
  name: 'rolling-update',
  heading: 'A rolling update of many pods',
  measure: async () => renderRounds(await measureRounds()),
};

const pods = 10_000;
const nodes = 100;
const updates = 2;
const patienceMs = 900_000;
const pollMs = 250;
/** What follows the last change: events, endpoints, quota. */
const settleMs = 3_000;
const labels = { app: 'bench' };
const name = 'bench';

async function measureRounds(): Promise<Round[]> {
  await using cluster = await createCluster({ nodes });
  using client = cluster.client();
  const deployments = client
    .resource({ group: 'apps', version: 'v1', resource: 'deployments' })
    .namespace('default');
  const rounds = [await round(client, () => deployments.create(deployment()))];
  for (let update = 1; update <= updates; update++) {
    const template = { metadata: { annotations: { round: String(update) } } };
    const patch = { spec: { template } };
    rounds.push(await round(client, () => deployments.patch(name, 'merge', patch)));
  }
  return rounds;
}

async function round(client: Client, change: () => Promise<KubeObject>): Promise<Round> {
  const before = process.cpuUsage();
  const { metadata } = await change();
  await untilRolledOut(client, Number(metadata.generation));
  const { user, system } = process.cpuUsage(before);
  await sleep(settleMs);
  // They live for an hour. The history of writes has its bound, which each round reaches.
  await client
    .resource({ group: '', version: 'v1', resource: 'events' })
    .namespace('default')
    .deleteCollection();
  collectGarbage();
  return {
    cpuMs: (user + system) / 1_000,
    heldMiB: process.memoryUsage().heapUsed / 1024 ** 2,
  };
}

function deployment(): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: pods,
      revisionHistoryLimit: 0,
      strategy: { rollingUpdate: { maxSurge: '10%', maxUnavailable: '10%' } },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'app', image: 'app:1' }],
        },
      },
    },
  };
}

interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
}

async function untilRolledOut(client: Client, generation: number): Promise<void> {
  const deployments = client
    .resource({ group: 'apps', version: 'v1', resource: 'deployments' })
    .namespace('default');
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const status = ((await deployments.get(name))['status'] ?? {}) as DeploymentStatus;
    const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
    if ((status.observedGeneration ?? 0) >= generation && counts.every((count) => count === pods))
      return;
    await sleep(pollMs);
  }
  throw new Error(`${pods} pods were not rolled out in ${seconds(patienceMs)}`);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function renderRounds(rounds: readonly Round[]): string {
  const what = (at: number) => (at === 0 ? 'created' : `update ${at}`);
  const row = ({ cpuMs, heldMiB }: Round, at: number) =>
    `| ${what(at)} | ${seconds(cpuMs)} | ${heldMiB.toFixed(0)} MiB |`;
  return [
    `${pods.toLocaleString('en')} pods of a Deployment on ${nodes} simulated nodes.`,
    '',
    '| | processor time | held afterwards |',
    '|---|---|---|',
    ...rounds.map(row),
    '',
  ].join('\n');
}
