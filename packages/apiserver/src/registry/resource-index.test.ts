import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createResourceIndex, type ResourceEndpoint } from './resource-endpoint.ts';

function endpoint(group: string, resource: string, custom = true): ResourceEndpoint {
  return { definition: { group, version: 'v1', resource }, custom } as unknown as ResourceEndpoint;
}
const gvr = (group: string, resource: string) => ({ group, version: 'v1', resource });

test('built-in groups stand first and as they came, the others by name', () => {
  const index = createResourceIndex();
  for (const [group, custom] of [
    ['z.example.com', true],
    ['', false],
    ['apps', false],
    ['a.example.com', true],
  ] as const)
    index.put(endpoint(group, 'things', custom));
  assert.deepEqual(index.groups(), ['', 'apps', 'a.example.com', 'z.example.com']);
  assert.equal(index.list().length, 4);
});

test('a change shows in its group and in the whole, and in no other group', () => {
  const index = createResourceIndex();
  index.put(endpoint('a', 'things'));
  index.put(endpoint('b', 'things'));
  const [a, b, all] = [index.generationOf('a'), index.generationOf('b'), index.generation];
  index.put(endpoint('b', 'others'));
  assert.equal(index.generationOf('a'), a);
  assert.ok(index.generationOf('b') > b);
  assert.ok(index.generation > all);
  assert.equal(index.inGroup('b').length, 2);
});

test('a group goes with its last resource, and comes back changed', () => {
  const index = createResourceIndex();
  index.put(endpoint('a', 'things'));
  const before = index.generationOf('a');
  index.remove(gvr('a', 'others'));
  assert.equal(index.generationOf('a'), before);
  index.remove(gvr('a', 'things'));
  assert.deepEqual([index.groups(), index.inGroup('a'), index.generationOf('a')], [[], [], 0]);
  assert.equal(index.find(gvr('a', 'things')), undefined);
  index.put(endpoint('a', 'things'));
  assert.ok(index.generationOf('a') > before);
});
