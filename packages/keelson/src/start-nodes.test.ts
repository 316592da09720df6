import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDescribedNode } from '@keelson/node-agent';
import { allNodes } from './start-nodes.ts';

test('numbered nodes come first, and a described one may take the place of one of them', () => {
  const rows: [count: number, descriptions: string[], nodes: string[]][] = [
    [0, [], []],
    [2, [], ['node-1 8', 'node-2 8']],
    [0, ['big,cpu=64'], ['big 64']],
    [2, ['big,cpu=64', 'node-1,cpu=1'], ['node-1 1', 'node-2 8', 'big 64']],
    [1, ['big,cpu=64', 'big,cpu=32'], ['node-1 8', 'big 32']],
  ];
  for (const [count, descriptions, nodes] of rows) {
    const described = descriptions.map(parseDescribedNode);
    assert.deepEqual(
      allNodes({ count, described }).map(({ name, shape }) => `${name} ${shape.capacity['cpu']}`),
      nodes,
    );
  }
  for (const count of [-1, 0.5, Number.NaN]) assert.throws(() => allNodes({ count }), RangeError);
});
