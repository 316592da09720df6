import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import type { AdmissionPlugin } from '../../admission/admission.ts';
import { createTestServer } from '../../testing.ts';

/** Makes every write of a ConfigMap say the same. */
const restore: AdmissionPlugin = {
  name: 'Restore',
  handles: () => true,
  mutate({ object }) {
    if (object?.kind === 'ConfigMap') Object.assign(object, { data: { color: 'teal' } });
  },
};

test('a write that admission undoes changes nothing, not even when somebody wrote', async (t) => {
  const clock = createSimulatedClock();
  const server = await createTestServer({ clock, admissionPlugins: [restore] });
  t.after(() => server.close());
  await server.admin('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  const maps = '/api/v1/namespaces/shop/configmaps';
  const created = await server.admin('POST', maps, { metadata: { name: 'a' } });
  assert.equal(created.status, 201);
  const write = async (color: string, by: 'PUT' | 'PATCH') => {
    await clock.advance(5_000);
    const live = (await server.admin('GET', `${maps}/a`)).json();
    const isPatch = by === 'PATCH';
    const content = isPatch ? 'application/merge-patch+json' : 'application/json';
    const body = isPatch ? { data: { color } } : { ...live, data: { color } };
    const user = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };
    const headers = { 'content-type': content };
    const answer = await server.call(by, `${maps}/a?fieldManager=me`, { body, headers, user });
    assert.equal(answer.status, 200);
    return answer.json()['metadata'] as { resourceVersion: string; managedFields: object };
  };
  const first = await write('red', 'PATCH');
  for (const by of ['PATCH', 'PUT'] as const) {
    const again = await write('blue', by);
    if (by === 'PATCH') assert.deepEqual(again, first);
    // A replacement is another operation, so it is a manager of its own; the second changes
    // nothing.
    else assert.deepEqual(await write('red', by), again);
  }
});
