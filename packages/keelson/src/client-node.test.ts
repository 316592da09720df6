// The official JavaScript client against a listening cluster: what it does to any cluster must work
// with this one.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import {
  ApiException,
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  VersionApi,
  Watch,
  type V1ConfigMap,
  type V1Status,
} from '@kubernetes/client-node';
import { createCluster } from './create-cluster.ts';

const namespace = 'default';
const patchedAs = (strategy: PatchStrategy) => setHeaderOptions('Content-Type', strategy);

async function setUp(t: TestContext) {
  const cluster = await createCluster();
  t.after(() => cluster.close());
  const config = new KubeConfig();
  config.loadFromString((await cluster.listen()).kubeconfig);
  return { cluster, config, core: config.makeApiClient(CoreV1Api) };
}
const names = (list: { items: { metadata?: { name?: string } }[] }) =>
  list.items.map((item) => item.metadata?.name);

test('versions, namespaces, pages and selectors', async (t) => {
  const { config, core } = await setUp(t);
  assert.equal((await config.makeApiClient(VersionApi).getCode()).minor, '36');
  const namespaces = names(await core.listNamespace());
  assert.deepEqual(namespaces, ['default', 'kube-node-lease', 'kube-public', 'kube-system']);
  for (const name of ['a', 'b', 'c']) {
    const metadata = { name, labels: { odd: String(name !== 'b') } };
    await core.createNamespacedConfigMap({ namespace, body: { metadata } });
  }
  const labelSelector = 'odd=true';
  assert.deepEqual(names(await core.listNamespacedConfigMap({ namespace, labelSelector })), [
    'a',
    'c',
  ]);
  const first = await core.listNamespacedConfigMap({ namespace, labelSelector: 'odd', limit: 2 });
  const { _continue } = first.metadata ?? {};
  assert.deepEqual(names(first), ['a', 'b']);
  const second = await core.listNamespacedConfigMap({
    namespace,
    labelSelector: 'odd',
    limit: 2,
    _continue,
  });
  assert.deepEqual(names(second), ['c']);
});

test('patches of every kind', async (t) => {
  const { config, core } = await setUp(t);
  const apps = config.makeApiClient(AppsV1Api);
  const container = (name: string) => ({ name, image: `${name}:1` });
  const labels = { app: 'web' };
  await apps.createNamespacedDeployment({
    namespace,
    body: {
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [container('one'), container('two')] },
        },
      },
    },
  });
  const patch = (body: unknown, strategy: PatchStrategy) =>
    apps.patchNamespacedDeployment({ name: 'web', namespace, body }, patchedAs(strategy));

  const json = await patch(
    [{ op: 'replace', path: '/spec/replicas', value: 3 }],
    PatchStrategy.JsonPatch,
  );
  assert.equal(json.spec?.replicas, 3);
  const merge = await patch({ metadata: { annotations: { a: 'b' } } }, PatchStrategy.MergePatch);
  assert.equal(merge.metadata?.annotations?.['a'], 'b');
  const containers = [{ name: 'two', image: 'two:2' }];
  const strategic = await patch(
    { spec: { template: { spec: { containers } } } },
    PatchStrategy.StrategicMergePatch,
  );
  const images = (strategic.spec?.template.spec?.containers ?? []).map(({ image }) => image);
  assert.deepEqual(images.toSorted(), ['one:1', 'two:2']);
  const bad = core.patchNamespacedConfigMap(
    { name: 'x', namespace, body: {} },
    patchedAs(PatchStrategy.MergePatch),
  );
  await assert.rejects(bad, (error) => {
    assert.ok(error instanceof ApiException);
    const status = JSON.parse(error.body as string) as V1Status;
    assert.deepEqual([error.code, status.message], [404, 'configmaps "x" not found']);
    return true;
  });
});

test('server-side apply', async (t) => {
  const { core } = await setUp(t);
  const apply = (fieldManager: string, data: Record<string, string>, force = false) =>
    core.patchNamespacedConfigMap(
      {
        name: 'shared',
        namespace,
        fieldManager,
        force,
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' }, data },
      },
      patchedAs(PatchStrategy.ServerSideApply),
    );
  await apply('first', { a: '1', b: '1' });
  const both = await apply('second', { c: '1' });
  assert.deepEqual(both.data, { a: '1', b: '1', c: '1' });
  const managers = both.metadata?.managedFields?.map(({ manager, operation }) => [
    manager,
    operation,
  ]);
  assert.deepEqual(managers, [
    ['first', 'Apply'],
    ['second', 'Apply'],
  ]);
  await assert.rejects(apply('second', { a: '2', c: '1' }), { code: 409 });
  assert.equal((await apply('second', { a: '2', c: '1' }, true)).data?.['a'], '2');
  // What its manager no longer mentions goes.
  assert.deepEqual((await apply('first', {})).data, { a: '2', c: '1' });
});

test('generic objects, and access reviews', async (t) => {
  const { config, core } = await setUp(t);
  const objects = KubernetesObjectApi.makeApiClient(config);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace },
    stringData: { k: 'v' },
  };
  await objects.create(secret);
  const stored = await core.readNamespacedSecret({ name: 's', namespace });
  assert.deepEqual(stored.data, { k: 'dg==' });
  await objects.delete(secret);
  await assert.rejects(objects.read({ ...secret, metadata: secret.metadata }), { code: 404 });
  const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({
    body: { spec: { resourceAttributes: { verb: 'delete', resource: 'nodes' } } },
  });
  assert.equal(review.status?.allowed, true);
});

test('a watch', async (t) => {
  const { config, core } = await setUp(t);
  const seen: string[] = [];
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  let finished: (error: unknown) => void = () => {};
  const ended = new Promise((resolve) => (finished = resolve));
  const { metadata } = await core.listNamespacedConfigMap({ namespace });
  const controller = await new Watch(config).watch(
    path,
    { resourceVersion: metadata?.resourceVersion },
    (type, object: V1ConfigMap) => {
      seen.push(`${type} ${object.metadata?.name}`);
      if (type === 'DELETED') controller.abort();
    },
    finished,
  );
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'w' } } });
  await core.replaceNamespacedConfigMap({
    name: 'w',
    namespace,
    body: { metadata: { name: 'w' }, data: { a: 'b' } },
  });
  await core.deleteNamespacedConfigMap({ name: 'w', namespace });
  await ended;
  assert.deepEqual(seen, ['ADDED w', 'MODIFIED w', 'DELETED w']);
});

test('an informer', async (t) => {
  const { config, core } = await setUp(t);
  const labelSelector = 'mine';
  const list = () => core.listNamespacedConfigMap({ namespace, labelSelector });
  const metadata = { name: 'i', labels: { mine: 'yes' } };
  await core.createNamespacedConfigMap({ namespace, body: { metadata } });
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informer = makeInformer<V1ConfigMap>(config, path, list, labelSelector);
  t.after(() => informer.stop());
  const seen: string[] = [];
  const events = new EventTarget();
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, (object) => {
      seen.push(`${verb} ${object.metadata?.name}`);
      events.dispatchEvent(new Event(verb));
    });
  }
  const added = once(events, 'add');
  await informer.start();
  await added;
  assert.ok(informer.get('i', namespace));
  const updated = once(events, 'update');
  await core.replaceNamespacedConfigMap({
    name: 'i',
    namespace,
    body: { metadata, data: { a: 'b' } },
  });
  await updated;
  const deleted = once(events, 'delete');
  await core.deleteNamespacedConfigMap({ name: 'i', namespace });
  await deleted;
  assert.deepEqual(seen, ['add i', 'update i', 'delete i']);
  assert.deepEqual(informer.list(namespace), []);
});

test('without credentials there is nothing to see', async (t) => {
  const { cluster, config } = await setUp(t);
  const { url } = await cluster.listen();
  const stranger = new KubeConfig();
  const { caData } = config.getCurrentCluster() ?? {};
  stranger.loadFromClusterAndUser(
    { name: 'k', server: url, caData, skipTLSVerify: false },
    { name: 'u', token: 'made-up' },
  );
  await assert.rejects(stranger.makeApiClient(CoreV1Api).listNode(), { code: 401 });
});
