import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestServer } from '../testing.ts';

test('integers of 64 bits stay exact, pretty or not, and are no trouble to anybody who sizes them', async () => {
  const server = await createTestServer();
  const revisions = '/apis/apps/v1/namespaces/default/controllerrevisions';
  await server.admin('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
  const body =
    '{"metadata":{"name":"large"},"data":{"n":9007199254740993},"revision":9007199254740993}';
  const created = await server.admin('POST', revisions, body);
  assert.equal(created.status, 201);
  for (const query of ['', '?pretty=true']) {
    const { status, text } = await server.admin('GET', `${revisions}/large${query}`);
    assert.equal(status, 200);
    assert.match(text, /"revision": ?9007199254740993\b/);
  }
  assert.equal((await server.admin('GET', revisions)).status, 200);
  await server.close();
});
