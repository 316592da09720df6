import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@keelson/apimachinery';
import fc from 'fast-check';
import { createDealer } from './dealer.ts';
import { createFlowHash } from './flow-hash.ts';

const word = fc.integer({ min: 0, max: 0xffffffff });

test('a hand is of different cards of the deck, and the digits of the hash decide', () => {
  fc.assert(
    fc.property(
      word,
      word,
      fc.integer({ min: 1, max: 10_000_000 }),
      fc.integer({ min: 1, max: 8 }),
      (high, low, deck, size) => {
        const handSize = Math.min(size, deck);
        const hand = createDealer(deck, handSize)({ high, low });
        assert.equal(new Set(hand).size, handSize);
        assert.ok(hand.every((card) => card >= 0 && card < deck));
        // The same by another road: draw from a real deck with arbitrary precision.
        const left = deck <= 1000 ? Array.from({ length: deck }, (_, i) => i) : undefined;
        if (left === undefined) return;
        let value = (BigInt(high) << 32n) | BigInt(low);
        const expected = hand.map(() => {
          const count = BigInt(left.length);
          const [card] = left.splice(Number(value % count), 1);
          value /= count;
          return card;
        });
        assert.deepEqual(hand, expected);
      },
    ),
  );
});

test('every queue is dealt about equally often', () => {
  const hash = createFlowHash(createSeededRandom(7));
  const deal = createDealer(32, 4);
  const times = Array.from({ length: 32 }, () => 0);
  for (let i = 0; i < 8000; i++)
    for (const card of deal(hash('schema', `user-${i}`))) times[card] = (times[card] ?? 0) + 1;
  for (const count of times) assert.ok(Math.abs(count - 1000) < 150, String(times));
});

test('a victim shares its whole hand with hardly anybody', () => {
  const hash = createFlowHash(createSeededRandom(11));
  const deal = createDealer(128, 6);
  const victim = new Set(deal(hash('schema', 'victim')));
  let overlaps = 0;
  for (let i = 0; i < 5000; i++)
    if (deal(hash('schema', `other-${i}`)).every((card) => victim.has(card))) overlaps++;
  assert.equal(overlaps, 0);
});

test('the hash tells apart schema and flow, and depends on the key', () => {
  const hash = createFlowHash(createSeededRandom(1));
  const other = createFlowHash(createSeededRandom(2));
  const pairs: readonly (readonly [string, string])[] = [
    ['a', 'bc'],
    ['ab', 'c'],
    ['abc', ''],
    ['', 'abc'],
    ['a', 'bd'],
    ['a', 'bc\u0000'],
  ];
  const seen = new Set(pairs.map((pair) => JSON.stringify(hash(...pair))));
  assert.equal(seen.size, pairs.length);
  assert.deepEqual(hash('a', 'bc'), hash('a', 'bc'));
  assert.notDeepEqual(hash('a', 'bc'), other('a', 'bc'));
});
