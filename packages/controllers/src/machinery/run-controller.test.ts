import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock, sleep, statusErrors } from '@keelson/apimachinery';
import { requeueLater, runController, type ReconcileResult } from './run-controller.ts';
import { createWorkQueue } from './work-queue.ts';

function setUp(
  reconcile: (key: string, call: number) => ReconcileResult | Promise<ReconcileResult>,
  workers = 1,
) {
  const clock = createSimulatedClock();
  const queue = createWorkQueue({ clock });
  const stop = new AbortController();
  const calls: string[] = [];
  const errors: string[] = [];
  const counts = new Map<string, number>();
  const running = runController(
    {
      queue,
      workers,
      onError: (error, key) => errors.push(`${key}: ${(error as Error).message}`),
      async reconcile(key) {
        const call = (counts.get(key) ?? 0) + 1;
        counts.set(key, call);
        calls.push(`${key}@${clock.monotonic()}`);
        return reconcile(key, call);
      },
    },
    stop.signal,
  );
  return { clock, queue, stop, calls, errors, running };
}

test('failures come back later and later, results when they say', async () => {
  const { clock, queue, stop, calls, errors, running } = setUp((key, call) => {
    if (key === 'bad' && call < 4) throw new Error(`no ${call}`);
    if (key === 'timed' && call === 1) return { requeueAfterMs: 500 };
    if (key === 'unsure' && call < 3) return requeueLater;
    if (key === 'raced' && call === 1)
      throw statusErrors.conflict({ group: '', resource: 'x' }, 'a', '');
    return undefined;
  });
  for (const key of ['good', 'bad', 'timed', 'unsure', 'raced']) queue.add(key);
  await clock.advance(10_000);
  assert.deepEqual(calls, [
    'good@0',
    'bad@0',
    'timed@0',
    'unsure@0',
    'raced@0',
    'bad@5',
    'unsure@5',
    'raced@5',
    'bad@15',
    'unsure@15',
    'bad@35',
    'timed@500',
  ]);
  assert.deepEqual(errors, ['bad: no 1', 'bad: no 2', 'bad: no 3']);
  stop.abort();
  await running;
});

test('workers work side by side, and the end waits for them', async () => {
  const { clock, queue, stop, calls, running } = setUp(() => sleep(clock, 100), 2);
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await clock.advance(0);
  assert.deepEqual(calls, ['a@0', 'b@0']);
  let isOver = false;
  void running.then(() => (isOver = true));
  stop.abort();
  await clock.advance(99);
  assert.equal(isOver, false);
  await clock.advance(1);
  assert.ok(isOver);
  assert.equal(calls.length, 2);
});

test('a signal that is aborted already runs nothing', async () => {
  const clock = createSimulatedClock();
  const queue = createWorkQueue({ clock });
  queue.add('a');
  const reconcile = () => assert.fail('reconciled');
  await runController({ queue, reconcile, workers: 1, onError: () => {} }, AbortSignal.abort());
});
