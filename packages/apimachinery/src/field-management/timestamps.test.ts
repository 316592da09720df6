import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asJson, type KubeObject } from '../meta/object.ts';
import { keepTimesIfUnchanged } from './timestamps.ts';

const writtenAt = (time: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'o', managedFields: [{ manager: 'one', operation: 'Update', time }] },
  ...more,
});
const old = writtenAt('2024-01-01T00:00:00Z', { data: { a: '1' } });

test('a write that changed nothing but times has the times of before', () => {
  const touched = writtenAt('2024-01-01T00:00:09Z', { data: { a: '1' } });
  assert.deepEqual(asJson(keepTimesIfUnchanged(old, touched)), asJson(old));
});

const changes: [what: string, object: KubeObject][] = [
  ['other contents', writtenAt('2024-01-01T00:00:09Z', { data: { a: '2' } })],
  [
    'one more manager',
    {
      ...old,
      metadata: {
        ...old.metadata,
        managedFields: [...(old.metadata.managedFields ?? []), { manager: 'x' }],
      },
    },
  ],
  ['no managers', { ...old, metadata: { name: 'o' } }],
];
for (const [what, object] of changes) {
  test(`a change stays as it is: ${what}`, () => {
    assert.equal(keepTimesIfUnchanged(old, object), object);
  });
}

test('objects without managers stay as they are', () => {
  const object: KubeObject = { metadata: { name: 'o' } };
  assert.equal(keepTimesIfUnchanged({ metadata: { name: 'o' } }, object), object);
});
