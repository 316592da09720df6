import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestServer } from '../testing.ts';

test('requests that meet the closed storage of a server that stops are no failures', async () => {
  const server = await createTestServer();
  await server.close();
  const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  for (const [method, url] of [
    ['GET', '/api/v1/namespaces/a/configmaps/b'],
    ['GET', '/api/v1/configmaps'],
    ['GET', '/api/v1/configmaps?watch=1'],
    ['GET', `/api/v1/configmaps?watch=1&${initial}`],
    ['DELETE', '/api/v1/namespaces/a/configmaps/b'],
  ] as const) {
    const answer = await server.admin(method, url);
    assert.equal(answer.status, 503, `${method} ${url}: ${answer.text}`);
    assert.equal(answer.json()['reason'], 'ServiceUnavailable');
  }
  assert.doesNotMatch(server.log(), /request failed/);
});
