import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createWorkQueue } from './work-queue.ts';

function setUp() {
  const clock = createSimulatedClock();
  return { clock, queue: createWorkQueue({ clock, failureDelayMaxMs: 1_000 }) };
}

test('keys come once, in order, and not twice at a time', async () => {
  const { queue } = setUp();
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
  assert.equal(queue.length, 3);
  assert.deepEqual([await queue.next(), await queue.next(), await queue.next()], ['a', 'b', 'c']);
  // Added while it is under way: again afterwards, however often.
  queue.add('a');
  queue.add('a');
  assert.equal(queue.length, 0);
  queue.done('a');
  assert.equal(queue.length, 1);
  assert.equal(await queue.next(), 'a');
  queue.done('a');
  assert.equal(queue.length, 0);
});

test('a waiting worker is served in turn', async () => {
  const { queue } = setUp();
  const workers = [queue.next(), queue.next()];
  queue.add('a');
  queue.add('a');
  queue.add('b');
  assert.deepEqual(await Promise.all(workers), ['a', 'b']);
});

test('failures wait twice as long each time, up to a bound', async () => {
  const { clock, queue } = setUp();
  for (const delay of [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]) {
    queue.addRateLimited('a');
    await clock.advance(delay - 1);
    assert.equal(queue.length, 0, `before ${delay} ms`);
    await clock.advance(1);
    assert.equal(await queue.next(), 'a');
    queue.done('a');
  }
  queue.forget('a');
  queue.addRateLimited('a');
  await clock.advance(5);
  assert.equal(queue.length, 1);
});

test('of two waits the earlier one counts', async () => {
  const { clock, queue } = setUp();
  queue.addAfter('a', 100);
  queue.addAfter('a', 10);
  queue.addAfter('a', 50);
  await clock.advance(10);
  assert.equal(await queue.next(), 'a');
  queue.done('a');
  await clock.advance(1_000);
  assert.equal(queue.length, 0);
  assert.equal(clock.pending, 0);
});

test('after the end nothing comes and nothing waits', async () => {
  const { clock, queue } = setUp();
  queue.add('a');
  queue.addAfter('b', 10);
  const { next } = queue;
  assert.equal(await next(), 'a');
  const waiting = next();
  queue.add('a');
  queue.shutDown();
  assert.equal(await waiting, undefined);
  assert.equal(await next(), undefined);
  queue.done('a');
  queue.add('c');
  queue.addRateLimited('d');
  assert.deepEqual([queue.length, clock.pending], [0, 0]);
});

test('a key rests four times as long as the work took, at most 250 ms; others do not wait', async () => {
  const { clock, queue } = setUp();
  const work = async (tookMs: number) => {
    assert.equal(await queue.next(), 'a');
    await clock.advance(tookMs);
    queue.done('a');
  };
  for (const [tookMs, restMs] of [
    [10, 40],
    [62, 248],
    [1_000, 250],
  ] as const) {
    queue.add('a');
    await work(tookMs);
    queue.add('a');
    queue.add('b');
    assert.equal(await queue.next(), 'b');
    queue.done('b');
    await clock.advance(restMs - 1);
    assert.equal(queue.length, 0, `before ${restMs} ms`);
    await clock.advance(1);
    assert.equal(queue.length, 1, `after ${restMs} ms`);
    await work(0);
  }
  // A change during the work waits as well; without one nothing comes.
  queue.add('a');
  assert.equal(await queue.next(), 'a');
  queue.add('a');
  await clock.advance(10);
  queue.done('a');
  assert.equal(queue.length, 0);
  await clock.advance(40);
  await work(10);
  await clock.advance(1_000);
  assert.deepEqual([queue.length, clock.pending], [0, 0]);
});
