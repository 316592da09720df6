import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addLists,
  exceededNames,
  formatResourceList,
  listsEqual,
  maxLists,
  negativeNames,
  readResourceList,
  subtractListsToZero,
  withoutZeros,
  writeResourceList,
} from './resource-list.ts';

const list = (record: Record<string, string>) => readResourceList(record);

test('lists are added, subtracted and compared by name', () => {
  const a = list({ cpu: '500m', memory: '1Gi' });
  const b = list({ cpu: '0.25', pods: '1' });
  assert.equal(formatResourceList(addLists(a, b)), 'cpu=750m,memory=1Gi,pods=1');
  assert.equal(formatResourceList(maxLists(a, b)), 'cpu=500m,memory=1Gi,pods=1');
  assert.equal(formatResourceList(subtractListsToZero(a, b)), 'cpu=250m,memory=1Gi,pods=0');
  assert.equal(formatResourceList(subtractListsToZero(b, a)), 'cpu=0,memory=0,pods=1');
  assert.ok(listsEqual(list({ cpu: '1' }), list({ cpu: '1000m' })));
  assert.ok(!listsEqual(list({ cpu: '1' }), list({ cpu: '1', pods: '0' })));
});

test('only what has a limit can exceed it, and only by more', () => {
  const limits = list({ cpu: '1', pods: '0' });
  assert.deepEqual(exceededNames(list({ cpu: '1', memory: '9Gi', pods: '0' }), limits), []);
  assert.deepEqual(exceededNames(list({ cpu: '1001m', pods: '1' }), limits), ['cpu', 'pods']);
});

test('zeros and negative amounts are found', () => {
  const mixed = list({ a: '0', b: '-1', c: '1' });
  assert.deepEqual([...withoutZeros(mixed).keys()], ['b', 'c']);
  assert.deepEqual(negativeNames(mixed), ['b']);
});

test('a name from a client is a name, whatever it is', () => {
  const record = JSON.parse('{"__proto__": "1"}') as Record<string, string>;
  const written = writeResourceList(list(record));
  assert.deepEqual(Object.keys(written), ['__proto__']);
  assert.equal(Object.getPrototypeOf(written), Object.prototype);
});
