import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createTurns } from './turns.ts';

test('one seat that has not waited needs no turn, and one that has does not wait for the wide', async () => {
  const clock = createSimulatedClock();
  const takeTurn = createTurns(clock);
  assert.equal(takeTurn({ seats: 1, hasWaited: false }), undefined);
  void takeTurn({ seats: 9, hasWaited: false })?.begin;
  void takeTurn({ seats: 9, hasWaited: false })?.begin;
  await takeTurn({ seats: 1, hasWaited: true })?.begin;
  assert.equal(clock.monotonic(), 0);
});

test('wide requests go one after the other, or after a moment', async () => {
  const clock = createSimulatedClock();
  const takeTurn = createTurns(clock);
  const begun: string[] = [];
  const take = (name: string) => {
    const turn = takeTurn({ seats: 2, hasWaited: false });
    assert.ok(turn);
    void turn.begin.then(() => begun.push(name));
    return turn;
  };
  const [a, b, c] = [take('a'), take('b'), take('c')];
  await clock.advance(49);
  assert.deepEqual(begun, ['a']);
  await clock.advance(1);
  assert.deepEqual(begun, ['a', 'b']);
  b.end();
  await clock.advance(0);
  assert.deepEqual(begun, ['a', 'b', 'c']);
  a.end();
  c.end();
  c.end();
  const d = take('d');
  await clock.advance(0);
  assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
  d.end();
  await clock.advance(0);
  assert.equal(clock.pending, 0);
});

test('one that ends before it has begun holds up nobody', async () => {
  const clock = createSimulatedClock();
  const takeTurn = createTurns(clock);
  const first = takeTurn({ seats: 2, hasWaited: false });
  const second = takeTurn({ seats: 2, hasWaited: false });
  second?.end();
  first?.end();
  await takeTurn({ seats: 2, hasWaited: false })?.begin;
  assert.equal(clock.monotonic(), 0);
});
