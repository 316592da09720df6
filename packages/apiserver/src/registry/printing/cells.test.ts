import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, labelSelectorText, labelText, since } from './cells.ts';

const now = Date.parse('2026-01-02T00:00:00Z');

test('ages count from the timestamp to now', () => {
  assert.equal(since('2026-01-01T23:59:30Z', now), '30s');
  assert.equal(since('2026-01-01T22:00:00Z', now), '120m');
  assert.equal(since('2026-01-02T00:00:30Z', now), '<invalid>');
  assert.equal(since(undefined, now), '<unknown>');
  assert.equal(since('yesterday', now), '<unknown>');
  assert.equal(age({ metadata: {} }, now), '<unknown>');
});

test('labels print in the order of their keys', () => {
  assert.equal(labelText({ b: '2', a: '1' }), 'a=1,b=2');
  assert.equal(labelText({}), '<none>');
});

test('selectors print as they are written in queries', () => {
  const selector = {
    matchLabels: { role: 'db' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['b', 'a'] },
      { key: 'old', operator: 'DoesNotExist' },
      { key: 'new', operator: 'Exists' },
      { key: 'zone', operator: 'NotIn', values: ['z'] },
    ],
  };
  assert.equal(labelSelectorText(selector), 'new,!old,role=db,tier in (a,b),zone notin (z)');
  assert.equal(labelSelectorText({}), '<none>');
  assert.equal(labelSelectorText({ matchExpressions: [{ key: 'a', operator: 'Gt' }] }), '<error>');
});
