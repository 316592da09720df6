import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { summarizePod } from '../snapshot/pod-summary.ts';
import { createSchedulingQueue } from './scheduling-queue.ts';

const pod = (name: string, priority = 0, gates: string[] = []) =>
  summarizePod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'n', uid: name },
    spec: { containers: [], priority, schedulingGates: gates.map((gate) => ({ name: gate })) },
  } as Pod);

function setUp() {
  const clock = createSimulatedClock();
  const queue = createSchedulingQueue({
    clock,
    gateOf: ({ pod: { spec } }) =>
      spec.schedulingGates?.length ? { plugin: 'SchedulingGates', reason: 'gated' } : undefined,
    mayHelp: (plugin, _pod, event) => plugin === 'Fit' && event.kind === 'pod-deleted',
  });
  const popAll = () => {
    const names: string[] = [];
    for (let entry = queue.pop(); entry !== undefined; entry = queue.pop())
      names.push(entry.pod.name);
    return names;
  };
  return { clock, queue, popAll };
}
const deletion = { kind: 'pod-deleted', pod: pod('gone').pod } as const;
const rejectedBy = (...names: string[]) => new Set(names);

test('the more important pod is first, then the older one', async () => {
  const { clock, queue, popAll } = setUp();
  queue.put(pod('old'));
  await clock.advance(1);
  queue.put(pod('young'));
  queue.put(pod('important', 10));
  assert.deepEqual(popAll(), ['important', 'old', 'young']);
});

test('a pod with gates waits until the last one is gone', () => {
  const { queue, popAll } = setUp();
  queue.put(pod('a', 0, ['x', 'y']));
  queue.put(pod('a', 0, ['y']), true);
  assert.deepEqual([popAll(), queue.sizes().gated], [[], 1]);
  queue.put(pod('a'), true);
  assert.deepEqual(popAll(), ['a']);
});

test('a rejected pod comes back when something helps it, and not before', async () => {
  const { clock, queue, popAll } = setUp();
  queue.put(pod('a'));
  queue.put(pod('b'));
  for (const [entry, plugin] of [
    [queue.pop(), 'Fit'],
    [queue.pop(), 'Other'],
  ] as const)
    if (entry) queue.rejected(entry, rejectedBy(plugin));
  await clock.advance(20_000);
  assert.deepEqual(popAll(), []);
  queue.happened({ kind: 'any' });
  assert.deepEqual(popAll(), []);
  queue.happened(deletion);
  assert.deepEqual(popAll(), ['a']);
  assert.equal(queue.sizes().unschedulable, 1);
});

test('what nothing helps is tried again after five minutes', async () => {
  const { clock, queue, popAll } = setUp();
  queue.put(pod('a'));
  const entry = queue.pop();
  if (entry) queue.rejected(entry, rejectedBy('Other'));
  await clock.advance(4 * 60_000);
  assert.deepEqual(popAll(), []);
  await clock.advance(2 * 60_000);
  assert.deepEqual(popAll(), ['a']);
});

test('after errors the wait doubles from one second to ten', async () => {
  const { clock, queue } = setUp();
  queue.put(pod('a'));
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    const entry = queue.pop();
    assert.ok(entry);
    queue.failed(entry);
    let waited = 0;
    while (queue.sizes().active === 0) {
      await clock.advance(500);
      waited += 500;
    }
    waits.push(waited);
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test('errors wait by themselves, however often the pod was refused before', async () => {
  const { clock, queue, popAll } = setUp();
  queue.put(pod('a'));
  for (let i = 0; i < 5; i++) {
    const entry = queue.pop();
    assert.ok(entry);
    queue.rejected(entry, rejectedBy('Fit'));
    queue.happened(deletion);
  }
  const entry = queue.pop();
  assert.ok(entry);
  queue.failed(entry);
  assert.deepEqual(popAll(), []);
  await clock.advance(1_000);
  assert.deepEqual(popAll(), ['a']);
});

test('who has failed goes behind others that count as much', async () => {
  const { clock, queue, popAll } = setUp();
  for (const name of ['a', 'b']) {
    queue.put(pod(name));
    await clock.advance(1);
  }
  const first = queue.pop();
  assert.equal(first?.pod.name, 'a');
  queue.rejected(first, rejectedBy('Fit'));
  queue.happened(deletion);
  await clock.advance(2_000);
  assert.deepEqual(popAll(), ['b', 'a']);
});

test('a pod for which room is being made is not tried before that is done', () => {
  const { queue, popAll } = setUp();
  queue.put(pod('a'));
  const entry = queue.pop();
  assert.ok(entry);
  queue.rejected(entry, rejectedBy('Fit'));
  const release = queue.hold(entry);
  queue.happened(deletion);
  assert.deepEqual(popAll(), []);
  release();
  assert.deepEqual(popAll(), ['a']);
  // Nothing has happened meanwhile: nothing is noted.
  queue.rejected(entry, rejectedBy('Fit'));
  queue.hold(entry)();
  assert.deepEqual(popAll(), []);
});

test('what helps some pods is not asked about others', () => {
  const { queue, popAll } = setUp();
  queue.put(pod('a', 1));
  queue.put(pod('b', 5));
  for (const entry of [queue.pop(), queue.pop()])
    if (entry) queue.rejected(entry, rejectedBy('Fit'));
  queue.happened(deletion, ({ priority }) => priority <= 1);
  assert.deepEqual(popAll(), ['a']);
});

test('a pod that changes or goes while it is under way is neither lost nor doubled', () => {
  const { queue, popAll } = setUp();
  queue.put(pod('a'));
  const entry = queue.pop();
  assert.ok(entry);
  queue.put(pod('a', 5), true);
  assert.deepEqual(popAll(), []);
  queue.rejected(entry, rejectedBy('Fit'));
  assert.equal(queue.get('a')?.pod.priority, 5);
  queue.happened(deletion);
  queue.remove('a');
  assert.deepEqual(popAll(), []);
  queue.failed(entry);
  queue.rejected(entry, rejectedBy('Fit'));
  queue.happened(deletion);
  assert.deepEqual(popAll(), []);
});

test('whoever waits is woken by a pod, and by the end', async () => {
  const { queue, popAll } = setUp();
  const waiting = queue.wait(new AbortController().signal);
  queue.put(pod('a'));
  await waiting;
  assert.deepEqual(popAll(), ['a']);
  const stop = new AbortController();
  const last = queue.wait(stop.signal);
  stop.abort();
  await last;
});
