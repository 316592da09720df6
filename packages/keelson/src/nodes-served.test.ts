import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isStatusError, nextTurn, type KubeObject } from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import { core, simulateCluster } from './testing/simulated-cluster.ts';

const seconds = 1_000;

async function setUp(t: TestContext, annotations: Record<string, string> = {}) {
  const simulated = await simulateCluster(t, { nodes: 2 });
  const { client, clock } = simulated;
  await client
    .resource(core('pods'))
    .namespace('default')
    .create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'p',
        labels: { app: 'web' },
        annotations: Object.fromEntries(
          Object.entries(annotations).map(([key, value]) => [`keelson.dev/simulate-${key}`, value]),
        ),
      },
      spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'app:1' }] },
    } as KubeObject);
  await clock.advance(10 * seconds);
  return simulated;
}

async function read(client: Client, path: string): Promise<string> {
  return Buffer.from(await client.send({ method: 'GET', path })).toString();
}

const log = '/api/v1/namespaces/default/pods/p/log';
const metrics = '/apis/metrics.k8s.io/v1beta1';

test('logs follow from the rules and the time', async (t) => {
  const { client, clock } = await setUp(t, { logs: 'one\ntwo', 'log-every': '4s' });
  assert.equal(await read(client, log), 'one\ntwo\none\n');
  assert.equal(await read(client, `${log}?tailLines=1`), 'one\n');
  assert.equal(await read(client, `${log}?limitBytes=5`), 'one\nt');
  assert.equal(await read(client, `${log}?sinceSeconds=3`), 'one\n');
  assert.match(await read(client, `${log}?tailLines=1&timestamps=true`), /^2026-\S+Z one\n$/);
  await clock.advance(4 * seconds);
  assert.equal(await read(client, `${log}?tailLines=2`), 'one\ntwo\n');
  await assert.rejects(read(client, `${log}?previous=true`), (error) => {
    assert.ok(isStatusError(error, 'BadRequest'));
    assert.match(error.message, /previous terminated container "app" in pod "p" not found/);
    return true;
  });
});

test('what listens at the ports of a pod answers through the proxies, too', async (t) => {
  const { client, clock } = await setUp(t, { ports: '8080 http hello\n6379 tcp +PONG' });
  const services = client.resource(core('services')).namespace('default');
  await services.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  } as unknown as KubeObject);
  const of = (what: string) => `/api/v1/namespaces/default/${what}/proxy/`;
  assert.equal(await read(client, of('pods/p:8080')), 'hello');
  await clock.advance(5 * seconds);
  assert.equal(await read(client, of('services/web')), 'hello');
  const rows: readonly (readonly [path: string, message: RegExp])[] = [
    ['pods/p:9', /dial tcp 10\.128\.1\.\d+:9: connect: connection refused/],
    ['pods/https:p:8080', /server gave HTTP response to HTTPS client/],
    ['pods/p:0', /lookup tcp\/0: unknown port/],
  ];
  for (const [path, message] of rows)
    await assert.rejects(read(client, of(path)), (error) => {
      assert.ok(isStatusError(error, 'ServiceUnavailable'), path);
      assert.match(error.message, message);
      return true;
    });
});

test('a container that waits has no log yet, and says what it waits for', async (t) => {
  const { client } = await setUp(t, { pull: 'fail' });
  await assert.rejects(read(client, log), /is waiting to start: trying and failing to pull image/);
});

test('what pods and nodes use is what the script says', async (t) => {
  const { client, clock } = await setUp(t, { 'cpu-usage': '100m,900m@60s', 'memory-usage': '1Gi' });
  const usage = async (path: string) => {
    const one = JSON.parse(await read(client, metrics + path)) as Record<string, unknown>;
    return (one['containers'] as { usage: object }[] | undefined)?.[0]?.usage ?? one['usage'];
  };
  const items = async (path: string) =>
    (JSON.parse(await read(client, metrics + path)) as { items: KubeObject[] }).items.map(
      ({ metadata }) => metadata.name,
    );
  const pod = '/namespaces/default/pods/p';
  assert.deepEqual(await usage(pod), { cpu: '100000000n', memory: '1048576Ki' });
  await clock.advance(60 * seconds);
  assert.deepEqual(await usage(pod), { cpu: '900000000n', memory: '1048576Ki' });
  assert.deepEqual(await usage('/nodes/node-1'), { cpu: '950000000n', memory: '1310720Ki' });
  assert.deepEqual(await items('/pods?labelSelector=app%3Dweb'), ['p']);
  assert.deepEqual(await items('/namespaces/default/pods?labelSelector=app%3Dother'), []);
  assert.deepEqual(await items('/namespaces/kube-system/pods'), []);
  assert.deepEqual(await items('/nodes'), ['node-1', 'node-2']);
  await assert.rejects(read(client, `${metrics}/nodes/node-9`), (e) =>
    isStatusError(e, 'NotFound'),
  );
  await assert.rejects(read(client, `${metrics}/pods?labelSelector=%21%21`), (error) =>
    isStatusError(error, 'BadRequest'),
  );
});

test('the metrics API is registered and available', async (t) => {
  const { client } = await setUp(t);
  const apiServices = client.resource({
    group: 'apiregistration.k8s.io',
    version: 'v1',
    resource: 'apiservices',
  });
  // The check goes over a socket, which does not know simulated time.
  for (let turn = 0; turn < 2_000; turn++) {
    const { status } = await apiServices.get('v1beta1.metrics.k8s.io');
    const { conditions = [] } = status as { conditions?: { type: string; status: string }[] };
    if (conditions.some(({ type, status: holds }) => type === 'Available' && holds === 'True'))
      return;
    await nextTurn();
  }
  assert.fail('the metrics API is not available');
});

test('what nobody may: a node of another user, or no right to its logs', async (t) => {
  const { cluster } = await setUp(t);
  const stranger = cluster.client({ name: 'jane' });
  for (const path of [log, `${metrics}/nodes`, '/api/v1/nodes/node-1/proxy/stats/summary'])
    await assert.rejects(read(stranger, path), (error) => isStatusError(error, 'Forbidden'));
});

test('the summary of a node is reached through the API server', async (t) => {
  const { client } = await setUp(t);
  const summary = await read(client, '/api/v1/nodes/node-1/proxy/stats/summary');
  const { node, pods } = JSON.parse(summary) as { node: KubeObject; pods: object[] };
  assert.equal(node['nodeName'], 'node-1');
  assert.equal(pods.length, 1);
  assert.equal(await read(client, '/api/v1/nodes/node-2/proxy/healthz'), 'ok');
});
