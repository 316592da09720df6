// A cluster in simulated time for tests: nothing happens in it until the test lets time pass, so
// what a controller does, and that it does nothing, is the same on every machine.

import type { TestContext } from 'node:test';
import {
  createSeededRandom,
  createSimulatedClock,
  isStatusError,
  type GroupVersionResource,
  type KubeObject,
  type SimulatedClock,
} from '@keelson/apimachinery';
import type { Client, ResourceClient } from '@keelson/client';
import { createCluster, type Cluster, type ClusterOptions } from '../create-cluster.ts';

export interface SimulatedCluster {
  readonly cluster: Cluster;
  readonly clock: SimulatedClock;
  /** Moves the date on without letting time pass, so no timer runs: days cost nothing. */
  readonly leap: (ms: number) => void;
  readonly client: Client;
  /** Warnings of the control plane: `message {fields}`. */
  readonly warnings: string[];
  readonly configMaps: (namespace: string) => ResourceClient;
  readonly namespaces: ResourceClient;
}

/** Closed when the test ends. All controllers run unless `options` say otherwise. */
export async function simulateCluster(
  t: TestContext,
  options: ClusterOptions = {},
): Promise<SimulatedCluster> {
  const timers = createSimulatedClock();
  let leaptMs = 0;
  const clock: SimulatedClock = {
    ...timers,
    now: () => timers.now() + leaptMs,
    get pending() {
      return timers.pending;
    },
  };
  const warnings: string[] = [];
  const warn = (message: string, fields = {}) =>
    void warnings.push(`${message} ${JSON.stringify(fields)}`);
  const cluster = await createCluster({
    clock,
    random: createSeededRandom(1),
    logger: { error: warn, warn, info: () => {}, debug: () => {} },
    ...options,
  });
  t.after(() => cluster.close());
  const client = cluster.client();
  await clock.advance(1_000);
  return {
    cluster,
    clock,
    leap(ms) {
      leaptMs += ms;
    },
    client,
    warnings,
    configMaps: (namespace) => client.resource(core('configmaps')).namespace(namespace),
    namespaces: client.resource(core('namespaces')),
  };
}

export function core(resource: string): GroupVersionResource {
  return { group: '', version: 'v1', resource };
}

/** The object, or undefined when there is none. */
export async function find<T extends KubeObject>(
  resource: ResourceClient<T>,
  name: string,
): Promise<T | undefined> {
  try {
    return await resource.get(name);
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Names in order. */
export async function namesIn(resource: ResourceClient): Promise<string[]> {
  return (await resource.list()).items.map(({ metadata }) => metadata.name ?? '').toSorted();
}
