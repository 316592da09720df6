// A cluster with all its controllers in simulated time, whose machines are played by the test. What
// happens to it is drawn from a seed, and repeats.

import {
  createSeededRandom,
  createSimulatedClock,
  isStatusError,
  type SimulatedClock,
} from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { clusterControllers, createCluster, type Cluster } from '@keelson/keelson';
import { look, servingAsked, type Look } from './look.ts';

export interface Life extends AsyncDisposable {
  readonly client: Client;
  /** Warnings and errors of the server and of its controllers. */
  readonly complaints: readonly string[];
  pass(ms: number): Promise<void>;
  /** Controllers end wherever they are; others begin with what is stored. */
  restart(): Promise<void>;
  /** Machines do what they have to, and time passes, until nothing changes any more. */
  settle(): Promise<Look>;
  /** Requests that the server has answered so far. */
  requests(): Promise<number>;
}

const pods = { group: '', version: 'v1', resource: 'pods' };
const roundMs = 20_000;
const roundsMax = 60;
/** Of those that controllers set: by then a request of a pod for a certificate has been deleted. */
const longestDeadlineMs = 21 * 60_000;
export const quietMs = 5 * 60_000;

export async function startLife(): Promise<Life> {
  const clock = createSimulatedClock();
  const complaints: string[] = [];
  const complain = (message: string, fields = {}) =>
    void complaints.push(`${message} ${JSON.stringify(fields)}`);
  let cluster: Cluster = await createCluster({
    clock,
    random: createSeededRandom(1),
    controllers: clusterControllers,
    snapshots: true,
    ...servingAsked,
    logger: { error: complain, warn: complain, info() {}, debug() {} },
  });
  let client = cluster.client();
  await clock.advance(1_000);
  return {
    get client() {
      return client;
    },
    complaints,
    pass: (ms) => clock.advance(ms),
    async restart() {
      const next = await cluster.fork();
      await cluster.close();
      cluster = next;
      client = cluster.client();
      await clock.advance(0);
    },
    settle: () => settle(client, clock),
    requests: () => countRequests(client),
    [Symbol.asyncDispose]: () => cluster.close(),
  };
}

async function settle(client: Client, clock: SimulatedClock): Promise<Look> {
  await untilSteady(client, clock);
  await clock.advance(longestDeadlineMs);
  return untilSteady(client, clock);
}

async function untilSteady(client: Client, clock: SimulatedClock): Promise<Look> {
  let before = '';
  for (let round = 0; round < roundsMax; round++) {
    await runPods(client);
    await clock.advance(roundMs);
    const now = await look(client);
    const after = JSON.stringify(now.versions);
    if (after === before) return now;
    before = after;
  }
  throw new Error(`still changing after ${(roundsMax * roundMs) / 1000} s`);
}

/** What machines do with pods: those that are there run, those that have to end have ended. */
async function runPods(client: Client): Promise<void> {
  const { items } = await client.resource<Pod>(pods).list();
  for (const { metadata, status = {} } of items) {
    const { name = '', namespace = '', deletionTimestamp } = metadata;
    const resource = client.resource<Pod>(pods).namespace(namespace);
    const isReady = status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
    const isOver = status.phase === 'Succeeded' || status.phase === 'Failed';
    try {
      if (deletionTimestamp !== undefined) await resource.delete(name, { gracePeriodSeconds: 0 });
      else if (isReady !== true && !isOver) {
        const conditions = [{ type: 'Ready', status: 'True' }];
        const patch = { status: { phase: 'Running', conditions } };
        await resource.patch(name, 'strategic', patch, { subresource: 'status' });
      }
    } catch (error) {
      if (!isStatusError(error)) throw error;
    }
  }
}

async function countRequests(client: Client): Promise<number> {
  const bytes = await client.send({ method: 'GET', path: '/metrics' });
  const lines = Buffer.from(bytes)
    .toString()
    .matchAll(/^apiserver_request_total\{.*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}
