import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeSnapshot } from './object-snapshot.ts';

test('an object is unchanged until a member of it is', () => {
  type Pod = {
    metadata: { labels?: Record<string, string> };
    spec: { containers: { name: string; ports?: number[] }[]; extra?: unknown };
  };
  const make = (): Pod => ({
    metadata: { labels: { a: 'b' } },
    spec: { containers: [{ name: 'c' }] },
  });
  const rows: [what: string, change: (pod: Pod) => void, isUnchanged: boolean][] = [
    ['nothing', () => {}, true],
    ['an equal list in its place', (pod) => (pod.spec.containers = [{ name: 'c' }]), true],
    ['the same value again', (pod) => (pod.metadata.labels = { a: 'b' }), true],
    ['a value', (pod) => ((pod.metadata.labels ?? {})['a'] = 'c'), false],
    ['a new member', (pod) => (pod.spec.extra = null), false],
    ['a member less', (pod) => delete pod.metadata.labels, false],
    ['one key for another', (pod) => (pod.metadata.labels = { b: 'b' }), false],
    [
      'a key in the place of another',
      (pod) => {
        delete pod.metadata.labels?.['a'];
        (pod.metadata.labels ?? {})['b'] = 'b';
      },
      false,
    ],
    [
      'a key taken out and put back',
      (pod) => {
        const { labels, ...rest } = pod.metadata;
        pod.metadata = { ...rest, labels: labels ?? {} };
      },
      true,
    ],
    [
      'another order',
      (pod) => {
        const { metadata } = pod;
        delete (pod as Partial<Pod>).metadata;
        pod.metadata = metadata;
      },
      true,
    ],
    [
      'another order, and a value',
      (pod) => {
        const { metadata } = pod;
        delete (pod as Partial<Pod>).metadata;
        pod.metadata = { ...metadata, labels: {} };
      },
      false,
    ],
    ['another member of a list', (pod) => (pod.spec.containers[0] = { name: 'd' }), false],
    ['a longer list', (pod) => pod.spec.containers.push({ name: 'd' }), false],
    ['a member deep inside', (pod) => pod.spec.containers.forEach((c) => (c.ports = [1])), false],
    ['another list in its place', (pod) => (pod.spec.containers = []), false],
  ];
  for (const [what, change, isUnchanged] of rows) {
    const pod = make();
    const snapshot = takeSnapshot(pod);
    change(pod);
    assert.equal(snapshot.isUnchanged(pod), isUnchanged, what);
  }
});

test('no object is one, too', () => {
  assert.ok(takeSnapshot(undefined).isUnchanged(undefined));
  assert.ok(!takeSnapshot(undefined).isUnchanged({}));
  assert.ok(!takeSnapshot({}).isUnchanged(undefined));
  assert.ok(takeSnapshot({ a: 1 }).isUnchanged({ a: 1 }));
});
