import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advanceGeneration, startGeneration } from './generation.ts';
import { keepMetadata } from './status-metadata.ts';

const withGeneration = (generation?: number) => ({
  metadata: generation === undefined ? {} : { generation },
});

test('generations start with 1, whatever was sent', () => {
  const object = withGeneration(7);
  startGeneration(object);
  assert.equal(object.metadata.generation, 1);
});

const rows: readonly (readonly [string, number | undefined, boolean, number | undefined])[] = [
  ['the next after a change', 3, true, 4],
  ['the same without one', 3, false, 3],
  ['the first of an object that had none', undefined, true, 1],
  ['none of an object that had none', undefined, false, undefined],
];
for (const [what, before, changed, after] of rows) {
  test(`the generation of an update is ${what}`, () => {
    const object: { metadata: { generation?: number } } = withGeneration(99);
    advanceGeneration(object, withGeneration(before), changed);
    assert.equal(object.metadata.generation, after);
  });
}

test('updates of a status change no labels, owners and finalizers', () => {
  const object = { metadata: { name: 'a', labels: { x: 'y' }, finalizers: ['example.com/f'] } };
  keepMetadata(object, { metadata: { labels: { x: 'z' }, annotations: { n: 'm' } } });
  assert.deepEqual(object.metadata, { name: 'a', labels: { x: 'z' }, annotations: { n: 'm' } });
});
