import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCluster } from './index.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';
const pod = {
  metadata: { name: 'web' },
  spec: { containers: [{ name: 'c', image: 'registry.example/app:1' }] },
};

test('a decision is the answer with warnings, audit annotations and steps', async (t) => {
  const cluster = await createCluster({ controllers: [] });
  t.after(() => cluster.close());
  const post = (path: string, body: object, user?: { name: string; groups?: string[] }) =>
    cluster.decide({
      method: 'POST',
      path,
      body: body as never,
      ...(user === undefined ? {} : { user }),
    });

  const before = cluster.revision();
  const stranger = await post(configMaps, { metadata: { name: 'a' } }, { name: 'eve' });
  assert.equal(stranger.status, 403);
  assert.equal(cluster.revision(), before, 'what was refused was not written');
  assert.ok(
    stranger.steps.some(({ stage, outcome }) => stage === 'authorization' && outcome !== 'allow'),
  );

  const created = await post(configMaps, { metadata: { name: 'a' }, surprise: true });
  assert.equal(created.status, 201);
  assert.ok(cluster.revision() > before);
  assert.deepEqual(created.warnings, ['unknown field "surprise"']);
  const mutating = created.steps.filter(({ stage }) => stage === 'admission/mutating');
  assert.ok(mutating.length > 0);

  const labels = {
    'pod-security.kubernetes.io/enforce': 'privileged',
    'pod-security.kubernetes.io/audit': 'restricted',
  };
  const patch = { method: 'PATCH', contentType: 'application/merge-patch+json' } as const;
  await cluster.decide({
    ...patch,
    path: '/api/v1/namespaces/default',
    body: { metadata: { labels } },
  });
  await post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  const audited = await post(pods, pod);
  assert.equal(audited.status, 201);
  const violations = audited.auditAnnotations['pod-security.kubernetes.io/audit-violations'];
  assert.match(violations ?? '', /^would violate PodSecurity "restricted:latest"/);
});

test('a closed cluster decides nothing', async () => {
  const cluster = await createCluster({ controllers: [] });
  await cluster.close();
  await assert.rejects(cluster.decide({ method: 'GET', path: '/version' }), /is closed/);
});
