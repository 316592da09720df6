import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  sortKey,
  treeDelete,
  treeFromSorted,
  treeGet,
  treeRange,
  treeRank,
  treeSet,
  treeSize,
} from './persistent-tree.ts';
import type { Tree } from './persistent-tree.ts';

const keyOf = (n: number) => String(n).padStart(5, '0');

/** Everything the tree can be asked agrees with the map. */
function assertSame(tree: Tree<number>, model: ReadonlyMap<string, number>): void {
  const keys = [...model.keys()].toSorted();
  assert.equal(treeSize(tree), keys.length);
  assert.deepEqual(
    treeRange(tree, '', '\uffff'),
    keys.map((key) => model.get(key)),
  );
  for (let i = 0; i < keys.length; i += 7) {
    const key = keys[i] ?? '';
    assert.equal(treeGet(tree, key), model.get(key));
    assert.equal(treeGet(tree, `${key}~`), undefined);
    assert.equal(treeRank(tree, key), i);
    assert.equal(treeRank(tree, `${key}~`), i + 1);
    const to = keys[i + 40] ?? '\uffff';
    const some = keys.slice(i, i + 40).map((k) => model.get(k));
    assert.deepEqual(treeRange(tree, key, to), some);
    assert.deepEqual(treeRange(tree, key, to, 5), some.slice(0, 5));
  }
}

describe('persistent tree', () => {
  const orders: [string, (i: number) => number][] = [
    ['ascending', (i) => i],
    ['descending', (i) => 5000 - i],
    ['scattered', (i) => (i * 2654435761) % 65536],
  ];
  for (const [title, order] of orders) {
    it(`holds ${title} keys, and loses them again in that and in the other order`, () => {
      const model = new Map<string, number>();
      let tree: Tree<number>;
      for (let i = 0; i < 5000; i++) {
        model.set(keyOf(order(i)), i);
        tree = treeSet(tree, keyOf(order(i)), i);
      }
      assertSame(tree, model);
      const full = new Map(model);
      let other = tree;
      const kept = tree;
      for (let i = 0; i < 5000; i++) {
        model.delete(keyOf(order(i)));
        tree = treeDelete(tree, keyOf(order(i)));
        other = treeDelete(other, keyOf(order(4999 - i)));
        if (i % 997 === 0) assertSame(tree, model);
      }
      assert.equal(tree, undefined);
      assert.equal(other, undefined);
      assertSame(kept, full);
    });
  }

  it('equals a map under random writes, at every earlier version', () => {
    const writes = fc.array(fc.tuple(fc.nat({ max: 300 }), fc.boolean()), {
      minLength: 200,
      maxLength: 1500,
      size: 'max',
    });
    const property = fc.property(fc.nat({ max: 300 }), writes, (initial, run) => {
      const model = new Map(Array.from({ length: initial }, (_, i) => [keyOf(i), -i]));
      let tree = treeFromSorted([...model.keys()], [...model.values()]);
      assertSame(tree, model);
      const versions: [Tree<number>, Map<string, number>][] = [];
      run.forEach(([n, isSet], i) => {
        const before = tree;
        if (isSet) tree = treeSet(tree, keyOf(n), i);
        else tree = treeDelete(tree, keyOf(n));
        if (!isSet && !model.has(keyOf(n))) assert.equal(tree, before);
        if (isSet) model.set(keyOf(n), i);
        else model.delete(keyOf(n));
        if (i % 100 === 0) versions.push([tree, new Map(model)]);
      });
      versions.push([tree, model]);
      for (const [version, expected] of versions) assertSame(version, expected);
    });
    fc.assert(property, { numRuns: 40 });
  });

  it('builds from sorted keys of any number', () => {
    for (const count of [0, 1, 24, 25, 577, 14_000]) {
      const keys = Array.from({ length: count }, (_, i) => keyOf(i));
      const tree = treeFromSorted(
        keys,
        keys.map((_, i) => i),
      );
      assertSame(tree, new Map(keys.map((key, i) => [key, i])));
    }
  });

  it('orders sort keys as the bytes of the keys', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 6 });
    const property = fc.property(text, text, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      const sorted = sortKey(a) < sortKey(b) ? -1 : Number(sortKey(a) > sortKey(b));
      assert.equal(sorted, bytes);
    });
    fc.assert(property, {
      numRuns: 2000,
      examples: [
        ['\uffee', '😀'],
        ['\ue000', '😀'],
      ],
    });
  });
});
