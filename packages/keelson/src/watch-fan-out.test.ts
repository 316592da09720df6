// What operators rest on: every watcher is told of every write, once, in the order of the writes,
// over real connections and while many write at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@keelson/apimachinery';
import { createClient, createHttpsTransport, parseKubeconfig } from '@keelson/client';
import { createCluster } from './index.ts';
import { core } from './testing/simulated-cluster.ts';

const watchers = 100;
const writes = 500;
const writers = 16;

test('100 watchers see 500 concurrent writes: no gap, no repetition, in order', async (t) => {
  await using cluster = await createCluster({ controllers: [] });
  const { kubeconfig } = await cluster.listen();
  const { transport } = parseKubeconfig(kubeconfig);
  const client = createClient({ transport: createHttpsTransport(transport) });
  t.after(() => client.close());
  const configMaps = client.resource(core('configmaps')).namespace('default');
  const start = (await configMaps.list()).metadata.resourceVersion ?? '';

  const stop = new AbortController();
  const observe = async (): Promise<string[]> => {
    const seen: string[] = [];
    const options = { resourceVersion: start, signal: stop.signal };
    for await (const event of configMaps.watch(options)) {
      if (event.type === 'BOOKMARK') continue;
      const { name, resourceVersion } = event.object.metadata;
      seen.push(`${resourceVersion} ${event.type} ${name}`);
      if (seen.length === writes) break;
    }
    return seen;
  };
  const observing = Promise.all(Array.from({ length: watchers }, observe));

  const done: string[] = [];
  let left = writes;
  const random = createSeededRandom(1);
  const write = async (writer: number): Promise<void> => {
    let exists = false;
    const name = `of-${writer}`;
    while (left-- > 0) {
      const change: string = !exists ? 'ADDED' : random.float() < 0.3 ? 'DELETED' : 'MODIFIED';
      if (change === 'DELETED') await configMaps.delete(name);
      const object = { metadata: { name }, data: { at: String(left) } };
      if (change === 'ADDED') await configMaps.create(object);
      if (change === 'MODIFIED') await configMaps.update(object);
      exists = change !== 'DELETED';
      done.push(`${change} ${name}`);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));

  const [first = [], ...others] = await observing;
  const revisions = first.map((line) => Number(line.split(' ')[0]));
  assert.deepEqual(
    revisions,
    revisions.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(revisions).size, writes);
  const told = first.map((line) => line.slice(line.indexOf(' ') + 1));
  assert.deepEqual(told.toSorted(), done.toSorted());
  // Each writer's own writes were one after the other, so their order is known.
  const byWriter = (lines: string[]) => Object.groupBy(lines, (line) => line.split(' ')[1] ?? '');
  assert.deepEqual(
    new Map(Object.entries(byWriter(told)).toSorted()),
    new Map(Object.entries(byWriter(done)).toSorted()),
  );
  for (const seen of others) assert.deepEqual(seen, first);
});
