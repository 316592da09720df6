// Values that are stored under an old key, or in an old form, are written anew by an apply that
// changes nothing: that is how a migration of the storage gets at them (KEP-4192).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@keelson/apimachinery';
import { openEmbeddedStorage } from '../../storage/embedded/open.ts';
import type { ValueTransformer } from '../../storage/embedded/value-transformer.ts';
import { temporaryDirectories } from '../../storage/testing/temporary-directory.ts';
import { testConfigMap, testKey } from '../../storage/testing/test-objects.ts';
import { createTestServer, type TestServer } from '../../testing.ts';

const newDirectory = temporaryDirectories();
const user = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };
const path = '/api/v1/namespaces/default/configmaps/a';

/** No cipher, but a byte that says which key would have been used. */
const keyed = (id: number): ValueTransformer => ({
  ready: () => undefined,
  toStored: (value) => Uint8Array.of(id, ...value),
  fromStored: ([stored = 0, ...value]) => ({
    value: Uint8Array.from(value),
    isStale: stored !== id,
  }),
});

const open = (dir: string, key: number) =>
  openEmbeddedStorage({ dir, clock: systemClock, transformer: keyed(key) });

async function applyNothing(server: TestServer): Promise<string> {
  const live = (await server.admin('GET', path)).json()['metadata'] as Record<string, string>;
  const { uid, resourceVersion } = live;
  const answer = await server.call('PATCH', `${path}?fieldManager=migrator`, {
    user,
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { uid, resourceVersion } },
  });
  assert.equal(answer.status, 200, answer.text);
  const { metadata } = answer.json() as { metadata: Record<string, unknown> };
  const { resourceVersion: next, ...kept } = metadata;
  const { resourceVersion: _before, ...was } = live;
  assert.deepEqual(kept, was);
  return next === resourceVersion ? 'as it was' : 'written';
}

test('an apply of nothing writes what is stale, and nothing else', async () => {
  const dir = newDirectory();
  const before = await open(dir, 1);
  const map = testConfigMap('a', 'x');
  map.metadata.managedFields = [
    {
      manager: 'somebody',
      operation: 'Update',
      apiVersion: 'v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { '.': {}, 'f:value': {} } },
    },
  ];
  await before.create(testKey('a'), map);
  await before.close();
  const storage = await open(dir, 2);
  const server = await createTestServer({ storage: () => storage });
  assert.equal(await applyNothing(server), 'written');
  assert.equal(await applyNothing(server), 'as it was');
  await server.close();
});
