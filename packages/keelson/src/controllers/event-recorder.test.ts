import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '@keelson/apimachinery/types/core.v1';
import { createEventRecorder, type EventText } from '@keelson/controllers';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const about = { apiVersion: 'v1', kind: 'Node', namespace: '', name: 'n1', uid: 'u1' };
const text: EventText = { type: 'Warning', reason: 'Broken', message: 'it is broken' };

test('an event that repeats is counted, another one is another', async (t) => {
  const { client, clock } = await simulateCluster(t, { controllers: [] });
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const recorder = createEventRecorder({ client, clock, component: 'tester', onError });
  for (let i = 0; i < 3; i++) {
    recorder.record(about, text);
    await clock.advance(10_000);
  }
  recorder.record(about, { ...text, message: 'it is still broken' });
  await clock.advance(0);
  // Events about objects of the cluster are in the default namespace.
  const events = client.resource<Event>(core('events')).namespace('default');
  const found = (await events.list()).items.toSorted((a, b) => (b.count ?? 0) - (a.count ?? 0));
  assert.deepEqual(
    found.map(({ count, message, source }) => [count, message, source?.component]),
    [
      [3, 'it is broken', 'tester'],
      [1, 'it is still broken', 'tester'],
    ],
  );
  const [first] = found;
  const between = Date.parse(first?.lastTimestamp ?? '') - Date.parse(first?.firstTimestamp ?? '');
  assert.equal(between, 20_000);
  assert.deepEqual(first?.involvedObject, {
    kind: 'Node',
    name: 'n1',
    uid: 'u1',
    apiVersion: 'v1',
  });
  // One that has gone is written anew, and the count goes on.
  await events.delete(first?.metadata.name ?? '');
  recorder.record(about, text);
  await clock.advance(0);
  assert.deepEqual((await events.list()).items.map(({ count }) => count).toSorted(), [1, 4]);
  assert.deepEqual(errors, []);
});

test('the tenth message of one reason takes over the count of those that follow', async (t) => {
  const { client, clock } = await simulateCluster(t, { controllers: [] });
  const recorder = createEventRecorder({
    client,
    clock,
    component: 'tester',
    onError: (error) => assert.ifError(error),
  });
  for (let at = 1; at <= 12; at++) recorder.record(about, { ...text, message: `trouble ${at}` });
  await clock.advance(0);
  const { items } = await client.resource<Event>(core('events')).namespace('default').list();
  assert.equal(items.length, 10);
  assert.deepEqual(
    items.filter(({ count }) => count !== 1).map(({ count, message }) => [count, message]),
    [[3, '(combined from similar events): trouble 12']],
  );
});

test('an event that cannot be written is reported and stops nothing', async (t) => {
  const { cluster, clock, client } = await simulateCluster(t, { controllers: [] });
  const errors: string[] = [];
  const recorder = createEventRecorder({
    client: cluster.client({ name: 'nobody' }),
    clock,
    component: 'tester',
    onError: (error) => errors.push((error as Error).message),
  });
  recorder.record(about, text);
  recorder.record({ ...about, namespace: 'gone' }, text);
  await clock.advance(0);
  assert.equal(errors.length, 2);
  assert.match(errors[0] ?? '', /events is forbidden: User "nobody" cannot create/);
  assert.deepEqual((await client.resource(core('events')).list()).items, []);
});

test('what is about a namespace on its way out, or gone, is not missed', async (t) => {
  const { clock, client, namespaces } = await simulateCluster(t, { controllers: [] });
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const recorder = createEventRecorder({ client, clock, component: 'tester', onError });
  await namespaces.create({ metadata: { name: 'shop' } });
  await namespaces.delete('shop');
  recorder.record({ ...about, kind: 'Pod', namespace: 'shop' }, text);
  recorder.record({ ...about, kind: 'Pod', namespace: 'gone' }, text);
  await clock.advance(0);
  assert.deepEqual((await client.resource(core('events')).namespace('shop').list()).items, []);
  assert.deepEqual(errors, []);
});
