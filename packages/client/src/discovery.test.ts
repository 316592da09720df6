import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from './client.ts';
import { createScriptedTransport } from './testing/scripted-transport.ts';

const resource = (name: string, kind: string, more = {}) => ({
  resource: name,
  responseKind: { group: '', version: '', kind },
  scope: 'Namespaced',
  verbs: ['get', 'list'],
  ...more,
});
const core = {
  kind: 'APIGroupDiscoveryList',
  items: [
    {
      metadata: {},
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            resource('pods', 'Pod', {
              subresources: [{ subresource: 'status' }, { subresource: 'log' }],
            }),
            resource('nodes', 'Node', { scope: 'Cluster' }),
          ],
        },
      ],
    },
  ],
};
const groups = (...freshness: string[]) => ({
  items: [
    {
      metadata: { name: 'example.com' },
      versions: freshness.map((f, i) => ({
        version: `v${i + 1}`,
        freshness: f,
        resources: [resource('things', 'Thing'), { resource: 'odd', verbs: 7 }, 'nonsense'],
      })),
    },
  ],
});

test('resources are read once and again only when they have changed', async () => {
  let current = groups('Current');
  const transport = createScriptedTransport(({ url }) => ({
    body: url === '/api' ? core : current,
  }));
  const { discovery } = createClient({ transport });
  const first = await discovery.fetch();
  assert.deepEqual(
    first.resources.map((r) => [
      r.group,
      r.version,
      r.resource,
      r.kind,
      r.namespaced,
      r.subresources,
    ]),
    [
      ['', 'v1', 'pods', 'Pod', true, ['status', 'log']],
      ['', 'v1', 'nodes', 'Node', false, []],
      ['example.com', 'v1', 'things', 'Thing', true, []],
    ],
  );
  assert.equal(await discovery.fetch(), first);
  current = groups('Current', 'Stale');
  const changed = await discovery.fetch();
  assert.equal(changed.resources.length, 4);
  assert.deepEqual(changed.stale, [{ group: 'example.com', version: 'v2' }]);
});

test('a server that fails is a failure, not an empty server', async () => {
  const transport = createScriptedTransport(({ url }) =>
    url === '/api' ? { body: core } : { status: 503, body: '' },
  );
  await assert.rejects(createClient({ transport }).discovery.fetch(), {
    reason: 'ServiceUnavailable',
  });
});
