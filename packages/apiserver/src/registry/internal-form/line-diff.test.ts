import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unifiedDiff } from './line-diff.ts';

const lines = (...list: string[]) => list.join('\n');
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

test('equal texts have no difference', () => {
  assert.equal(unifiedDiff(lines('a', 'b'), lines('a', 'b')), '');
});

test('a changed line stands between three lines of context', () => {
  const before = lines(...numbers(1, 9));
  const after = before.replace('5\n', 'five\n');
  assert.equal(
    unifiedDiff(before, after),
    lines('@@ -2,7 +2,7 @@', ' 2', ' 3', ' 4', '-5', '+five', ' 6', ' 7', ' 8', ''),
  );
});

test('changes far apart are hunks of their own', () => {
  const before = lines(...numbers(1, 20));
  const after = before.replace('2\n', 'two\n').replace('\n19\n', '\nnineteen\n');
  assert.equal(unifiedDiff(before, after).match(/^@@/gm)?.length, 2);
});

test('lines that are added at the end', () => {
  assert.equal(unifiedDiff(lines('a'), lines('a', 'b')), lines('@@ -1 +1,2 @@', ' a', '+b', ''));
});
