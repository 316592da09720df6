import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { countBy, createControllerMetrics, type MetricLabels } from './controller-metrics.ts';
import { createWorkQueue } from './work-queue.ts';

/** Keeps what it is told, by name and the label `name`. */
function createRegistry() {
  const registered: string[] = [];
  const counts = new Map<string, number>();
  const observations = new Map<string, number[]>();
  const gauges = new Map<string, () => readonly (readonly [MetricLabels, number])[]>();
  const keyOf = (family: string, { name = '' }: MetricLabels) => `${family} ${name}`;
  return {
    registered,
    counts,
    observations,
    shown: (family: string) => gauges.get(family)?.(),
    registry: {
      counter(family: string) {
        registered.push(family);
        return {
          add(labels: MetricLabels, by = 1) {
            const key = keyOf(family, labels);
            counts.set(key, (counts.get(key) ?? 0) + by);
          },
        };
      },
      gauge(family: string) {
        registered.push(family);
        return {
          collect: (read: () => readonly (readonly [MetricLabels, number])[]) =>
            void gauges.set(family, read),
        };
      },
      histogram(family: string) {
        registered.push(family);
        return {
          observe(labels: MetricLabels, value: number) {
            const key = keyOf(family, labels);
            observations.set(key, [...(observations.get(key) ?? []), value]);
          },
        };
      },
    },
  };
}

function setUp() {
  const clock = createSimulatedClock();
  const kept = createRegistry();
  const metrics = createControllerMetrics(kept.registry, clock);
  const queueOf = (name: string) => createWorkQueue({ clock, meter: metrics.workQueue(name) });
  return { clock, ...kept, metrics, queueOf };
}

test('a queue’s keys are counted and timed until they are done', { timeout: 30_000 }, async () => {
  const { clock, counts, observations, shown, queueOf } = setUp();
  const queue = queueOf('jobs');
  const all = () =>
    ['depth', 'unfinished_work_seconds', 'longest_running_processor_seconds'].map(
      (what) => shown(`workqueue_${what}`)?.[0]?.[1],
    );
  for (const key of ['a', 'b', 'a']) queue.add(key);
  assert.equal(counts.get('workqueue_adds_total jobs'), 2, 'a key that waits is not added again');
  assert.deepEqual(all(), [2, 0, 0]);
  await clock.advance(2_000);
  await queue.next();
  await clock.advance(1_000);
  await queue.next();
  await clock.advance(500);
  assert.deepEqual(observations.get('workqueue_queue_duration_seconds jobs'), [2, 3]);
  assert.deepEqual(all(), [0, 2, 1.5]);
  queue.add('a');
  assert.deepEqual(all(), [1, 2, 1.5], 'a key that comes again meanwhile waits');
  queue.done('a');
  queue.done('b');
  assert.deepEqual(observations.get('workqueue_work_duration_seconds jobs'), [1.5, 0.5]);
  assert.deepEqual(all(), [1, 0, 0]);
  // It rests first.
  await clock.advance(1_000);
  assert.equal(await queue.next(), 'a');
  assert.deepEqual(observations.get('workqueue_queue_duration_seconds jobs'), [2, 3, 1]);
  assert.equal(counts.get('workqueue_retries_total jobs'), undefined);
  queue.addRateLimited('a');
  queue.addAfter('c', 10);
  queue.addAfter('d', 0);
  assert.equal(counts.get('workqueue_retries_total jobs'), 2, 'later, not now');
});

test('queues of one name are one; one that is shut down is none', async () => {
  const { shown, queueOf, registered } = setUp();
  const [first, second, other] = [queueOf('x'), queueOf('x'), queueOf('y')];
  first.add('a');
  second.add('a');
  other.add('a');
  const depths = () => shown('workqueue_depth')?.map(([{ name }, value]) => [name, value]);
  assert.deepEqual(depths(), [
    ['x', 2],
    ['y', 1],
  ]);
  second.shutDown();
  assert.deepEqual(depths(), [
    ['x', 1],
    ['y', 1],
  ]);
  assert.deepEqual(registered, [...new Set(registered)]);
});

test('a family is registered once, whoever asks', () => {
  const { counts, shown, metrics, registered } = setUp();
  const before = registered.length;
  metrics.counter('c', '').add({ name: 'n' });
  metrics.counter('c', '').add({ name: 'n' }, 2);
  assert.equal(counts.get('c n'), 3);
  metrics.gauge('g', '').set({ name: 'n' }, 1);
  metrics.gauge('g', '').set({ name: 'm' }, 2);
  metrics.gauge('g', '').set({ name: 'n' }, 3);
  metrics.gauge('g', '').remove({ name: 'm' });
  assert.deepEqual(shown('g'), [[{ name: 'n' }, 3]]);
  assert.equal(registered.length - before, 2);
});

test('what is counted when somebody asks is what the last one counts', () => {
  const { shown, metrics, registered } = setUp();
  const before = registered.length;
  const pods = ['a', 'b', 'a'];
  const endFirst = metrics.counted('pods', '', () => countBy(pods, (name) => ({ name })));
  assert.deepEqual(shown('pods'), [
    [{ name: 'a' }, 2],
    [{ name: 'b' }, 1],
  ]);
  const endSecond = metrics.counted('pods', '', () => [[{ name: 'c' }, 7]]);
  endFirst();
  assert.deepEqual(shown('pods'), [[{ name: 'c' }, 7]]);
  endSecond();
  assert.deepEqual(shown('pods'), []);
  assert.equal(registered.length - before, 1);
  metrics.counted('many', '', () => Array.from({ length: 6_000 }, (_, i) => [{ name: `${i}` }, 1]));
  assert.equal(shown('many')?.length, 5_000, 'users must not fill the memory');
});
