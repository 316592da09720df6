// How long the garbage collector takes to remove ten thousand dependents: their owner is deleted in
// the background, and time runs until the last of them has gone. In one process, without a socket.

import type { KubeObject } from '@keelson/apimachinery';
import { createCluster } from '@keelson/keelson';
import { seconds } from './figures.ts';
import type { Section } from './section.ts';

interface CollectionFigures {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export const garbageCollectorSection: Section = {
  name: 'garbage-collector',
  heading: 'Garbage collection',
  measure: async () => renderCollection(await measureCollection()),
};

const dependents = 10_000;
const writers = 16;
const patienceMs = 120_000;
const configMap = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
});

async function measureCollection(): Promise<CollectionFigures> {
  await using cluster = await createCluster({ nodes: 0 });
  using client = cluster.client();
  const maps = client
    .resource({ group: '', version: 'v1', resource: 'configmaps' })
    .namespace('default');
  const owner = await maps.create(configMap('owner'));
  const { name = '', uid = '' } = owner.metadata;
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid }];
  const left = Array.from({ length: dependents }, (_, at) => `dependent-${at}`).values();
  const write = async () => {
    for (const dependent of left)
      await maps.create({
        ...configMap(dependent),
        metadata: { name: dependent, ownerReferences },
      });
  };
  await Promise.all(Array.from({ length: writers }, write));
  const { metadata } = await maps.list({ limit: 1 });
  const changes = maps.watch({
    resourceVersion: metadata.resourceVersion ?? '',
    signal: AbortSignal.timeout(patienceMs),
  });
  const from = performance.now();
  const before = process.cpuUsage();
  await maps.delete(name, { propagationPolicy: 'Background' });
  let gone = 0;
  for await (const { type } of changes) if (type === 'DELETED' && gone++ === dependents) break;
  const { user, system } = process.cpuUsage(before);
  return { wallMs: performance.now() - from, cpuMs: (user + system) / 1_000 };
}

function renderCollection({ wallMs, cpuMs }: CollectionFigures): string {
  return `${dependents.toLocaleString('en')} dependents of a deleted owner have gone after ${seconds(wallMs)}, \
which took ${seconds(cpuMs)} of processor time.
`;
}
