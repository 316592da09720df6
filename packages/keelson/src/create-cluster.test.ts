import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { createSimulatedClock, isStatusError } from '@keelson/apimachinery';
import {
  createClient,
  createHttpsTransport,
  parseKubeconfig,
  startInformer,
  type Client,
} from '@keelson/client';
import { createCluster, type Cluster, type ClusterOptions } from './index.ts';
import { core, find, namesIn } from './testing/simulated-cluster.ts';

const controllers: string[] = [];

async function clusterOf(
  t: TestContext,
  options: ClusterOptions = { controllers },
): Promise<Cluster> {
  const cluster = await createCluster(options);
  t.after(() => cluster.close());
  return cluster;
}
const configMaps = (client: Client) => client.resource(core('configmaps')).namespace('default');
const configMap = (name: string) => ({ metadata: { name } });

test('clusters of one process know nothing of each other', async (t) => {
  const [a, b] = await Promise.all([clusterOf(t), clusterOf(t)]);
  await configMaps(a.client()).create(configMap('only-a'));
  assert.deepEqual(await namesIn(configMaps(a.client())), ['only-a']);
  assert.deepEqual(await namesIn(configMaps(b.client())), []);
});

test('a fork has everything that was, and nothing that comes', async (t) => {
  const parent = await clusterOf(t);
  const before = await configMaps(parent.client()).create(configMap('before'));
  const fork = await parent.fork();
  t.after(() => fork.close());
  await configMaps(parent.client()).create(configMap('in-parent'));
  await configMaps(fork.client()).create(configMap('in-fork'));
  await configMaps(fork.client()).delete('before');
  assert.deepEqual(await namesIn(configMaps(parent.client())), ['before', 'in-parent']);
  assert.deepEqual(await namesIn(configMaps(fork.client())), ['in-fork']);
  // A fork of the fork, from the same past.
  const third = await fork.fork();
  t.after(() => third.close());
  assert.deepEqual(await namesIn(configMaps(third.client())), ['in-fork']);
  const still = await configMaps(parent.client()).get('before');
  assert.equal(still.metadata.uid, before.metadata.uid);
  // It lives on when the parent does not.
  await parent.close();
  await configMaps(fork.client()).create(configMap('later'));
  assert.deepEqual(await namesIn(configMaps(fork.client())), ['in-fork', 'later']);
});

test('a fork may be of another release, and differ in what it is asked to', async (t) => {
  const parent = await clusterOf(t, { controllers, emulatedVersion: '1.29' });
  await configMaps(parent.client()).create(configMap('kept'));
  const fork = await parent.fork({ emulatedVersion: '1.36' });
  t.after(() => fork.close());
  const minorOf = async (cluster: Cluster) => {
    const bytes = await cluster.client().send({ method: 'GET', path: '/version' });
    return (JSON.parse(Buffer.from(bytes).toString()) as { readonly minor: string }).minor;
  };
  assert.deepEqual([await minorOf(parent), await minorOf(fork)], ['29', '36']);
  assert.deepEqual(await namesIn(configMaps(fork.client())), ['kept']);
  // Its forks are like it.
  const third = await fork.fork();
  t.after(() => third.close());
  assert.equal(await minorOf(third), '36');
  await assert.rejects(parent.fork({ controllers: ['made-up'] }), /known controllers/);
  await assert.rejects(parent.fork({ featureGates: { MadeUp: true } }), {
    name: 'FeatureGateError',
  });
});

const users: [what: string, user: Parameters<Cluster['client']>[0], message: string | undefined][] =
  [
    ['the administrator', undefined, undefined],
    ['a member of system:masters', { name: 'root', groups: ['system:masters'] }, undefined],
    [
      'somebody',
      { name: 'jane', groups: ['dev'] },
      'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"',
    ],
    [
      'nobody',
      { name: 'system:anonymous' },
      'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"',
    ],
  ];
test('users may do what the policy says', async (t) => {
  const cluster = await clusterOf(t);
  for (const [what, user, message] of users) {
    const outcome = await configMaps(cluster.client(user))
      .list()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    if (message === undefined) assert.equal(outcome, undefined, what);
    else assert.ok(isStatusError(outcome, 'Forbidden') && outcome.message === message, what);
  }
  const { client } = cluster;
  const rbac = (resource: string) =>
    client().resource({ group: 'rbac.authorization.k8s.io', version: 'v1', resource });
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }];
  await rbac('clusterroles').create({ metadata: { name: 'reader' }, rules });
  await rbac('clusterrolebindings').create({
    metadata: { name: 'readers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'dev' }],
  });
  await configMaps(client({ name: 'jane', groups: ['dev'] })).list();
  await assert.rejects(configMaps(client({ name: 'jane' })).list(), { reason: 'Forbidden' });
});

test('a release, its gates and its controllers can be chosen', async (t) => {
  const versionOf = async (cluster: Cluster) => {
    const bytes = await cluster.client().send({ method: 'GET', path: '/version' });
    return (JSON.parse(Buffer.from(bytes).toString()) as { minor: string }).minor;
  };
  assert.equal(await versionOf(await clusterOf(t)), '36');
  assert.equal(await versionOf(await clusterOf(t, { emulatedVersion: '1.30', controllers })), '30');
  await assert.rejects(createCluster({ emulatedVersion: '1.2' }));
  await assert.rejects(createCluster({ featureGates: { NoSuchGate: true } }), /NoSuchGate/);
  await assert.rejects(
    createCluster({ controllers: ['no-such-controller'] }),
    /no-such-controller/,
  );
});

/** The same client over both transports. */
const transports: [name: string, connect: (cluster: Cluster) => Promise<Client>][] = [
  ['in process', async (cluster) => cluster.client()],
  [
    'TLS',
    async (cluster) => {
      const { kubeconfig } = await cluster.listen();
      return createClient({
        transport: createHttpsTransport(parseKubeconfig(kubeconfig).transport),
      });
    },
  ],
];
for (const [name, connect] of transports) {
  test(`verbs, ${name}`, async (t) => {
    const client = await connect(await clusterOf(t));
    t.after(() => client.close());
    const maps = configMaps(client);
    const made = await maps.create({ ...configMap('a'), data: { x: '1' } });
    assert.deepEqual([made.kind, made['data']], ['ConfigMap', { x: '1' }]);
    const updated = await maps.update({ ...made, data: { x: '2' } });
    await assert.rejects(maps.update({ ...made, data: {} }), { reason: 'Conflict' });
    assert.notEqual(updated.metadata.resourceVersion, made.metadata.resourceVersion);
    const merged = await maps.patch('a', 'merge', { data: { y: '3' } });
    assert.deepEqual(merged['data'], { x: '2', y: '3' });
    const patched = await maps.patch('a', 'json', [{ op: 'remove', path: '/data/x' }]);
    assert.deepEqual(patched['data'], { y: '3' });
    const applied = await maps.apply(
      { apiVersion: 'v1', kind: 'ConfigMap', ...configMap('a'), data: { z: '4' } },
      { fieldManager: 'test' },
    );
    assert.deepEqual(applied['data'], { y: '3', z: '4' });
    await maps.create(configMap('dry'), { dryRun: true });
    assert.deepEqual(await namesIn(maps), ['a']);
    const metadata = client.metadata(core('configmaps')).namespace('default');
    assert.equal((await metadata.get('a'))['data'], undefined);
    await assert.rejects(maps.create(configMap('a')), {
      message: 'configmaps "a" already exists',
      reason: 'AlreadyExists',
    });
    const preconditions = { uid: 'another' };
    await assert.rejects(maps.delete('a', { preconditions }), { reason: 'Conflict' });
    assert.equal((await maps.delete('a')).kind, 'Status');
    await Promise.all(['a', 'b', 'c'].map((one) => maps.create(configMap(one))));
    await maps.deleteCollection({}, { fieldSelector: 'metadata.name!=b' });
    assert.deepEqual(await namesIn(maps), ['b']);
  });

  test(`watches and informers, ${name}`, async (t) => {
    const client = await connect(await clusterOf(t));
    t.after(() => client.close());
    const maps = configMaps(client);
    await maps.create(configMap('a'));
    const stop = new AbortController();
    t.after(() => stop.abort());
    const informer = startInformer({ resource: maps }, stop.signal);
    await informer.synced();
    assert.deepEqual(
      informer.store.list().map((o) => o.metadata.name),
      ['a'],
    );
    const seen: string[] = [];
    const deleted = new Promise<void>((resolve) => {
      informer.addHandler({
        onAdd: (o, isInitial) => seen.push(`add ${o.metadata.name} ${isInitial}`),
        onUpdate: (o) => seen.push(`update ${o.metadata.name}`),
        onDelete(o) {
          seen.push(`delete ${o.metadata.name}`);
          resolve();
        },
      });
    });
    const { metadata } = await maps.list();
    const events: string[] = [];
    const watching = (async () => {
      for await (const e of maps.watch({ resourceVersion: metadata.resourceVersion ?? '' })) {
        events.push(`${e.type} ${e.object.metadata.name}`);
        if (e.type === 'DELETED') return;
      }
    })();
    await maps.create(configMap('b'));
    await maps.patch('b', 'merge', { data: { x: '1' } });
    await maps.delete('b');
    await Promise.all([watching, deleted]);
    assert.deepEqual(events, ['ADDED b', 'MODIFIED b', 'DELETED b']);
    assert.deepEqual(seen, ['add a true', 'add b false', 'update b', 'delete b']);
    await assert.rejects(maps.watch({ resourceVersion: 'x' }).next(), /resourceVersion/);
  });
}

test('over TLS both sides must show who they are', async (t) => {
  const cluster = await clusterOf(t);
  const { url, kubeconfig } = await cluster.listen();
  assert.equal((await cluster.listen()).url, url);
  const { transport } = parseKubeconfig(kubeconfig);
  const connect = (options: Parameters<typeof createHttpsTransport>[0]) => {
    const client = createClient({ transport: createHttpsTransport(options) });
    t.after(() => client.close());
    return client;
  };
  const { server, certificateAuthorityPem } = transport;
  await assert.rejects(configMaps(connect({ server })).list(), { code: 'broken' });
  const anonymous = connect({ server, certificateAuthorityPem });
  await assert.rejects(configMaps(anonymous).list(), { reason: 'Forbidden' });
  const stranger = connect({ server, certificateAuthorityPem, token: () => 'made-up' });
  await assert.rejects(configMaps(stranger).list(), { reason: 'Unauthorized' });

  const accounts = cluster.client().resource(core('serviceaccounts')).namespace('default');
  await accounts.create({ metadata: { name: 'bot' } });
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: {},
  };
  const issued = await accounts.create(request, { name: 'bot', subresource: 'token' });
  const { token } = issued['status'] as { token: string };
  const bot = connect({ server, certificateAuthorityPem, token: () => token });
  await assert.rejects(configMaps(bot).list(), {
    message:
      'configmaps is forbidden: User "system:serviceaccount:default:bot" cannot list resource "configmaps" in API group "" in the namespace "default"',
  });
});

test('closing ends what is open and leaves nothing behind', async () => {
  // Sockets of earlier tests may be on their way out still, so only more than before counts.
  const before = process.getActiveResourcesInfo();
  const cluster = await createCluster();
  const client = cluster.client();
  const remote = createClient({
    transport: createHttpsTransport(parseKubeconfig((await cluster.listen()).kubeconfig).transport),
  });
  const nothing = { resourceVersion: '1', fieldSelector: 'metadata.name=nothing' };
  const watches = [client, remote].map((c) => configMaps(c).watch(nothing).next());
  const ended = Promise.allSettled(watches);
  await configMaps(remote).list();
  await cluster.close();
  remote.close();
  assert.deepEqual(
    (await ended).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  await cluster.close();
  await assert.rejects(configMaps(client).list(), { code: 'closed' });
  assert.throws(() => cluster.client(), /the cluster is closed/);
  await assert.rejects(cluster.listen(), /the cluster is closed/);
  await assert.rejects(cluster.fork(), /the cluster is closed/);
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  const left = process.getActiveResourcesInfo();
  for (const kind of new Set(left)) {
    const count = (list: readonly string[]) => list.filter((one) => one === kind).length;
    assert.ok(count(left) <= count(before), `${kind} is left behind`);
  }
});

test('closing cancels the timers of the cluster', async () => {
  const clock = createSimulatedClock();
  const cluster = await createCluster({ clock });
  await clock.advance(100);
  assert.ok(clock.pending > 0);
  await cluster.close();
  assert.equal(clock.pending, 0);
});

const program = `
import { createCluster } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
const cluster = await createCluster();
const resource = (name) => cluster.client().resource({ group: '', version: 'v1', resource: name });
await resource('namespaces').create({ metadata: { name: 'shop' } });
await resource('namespaces').delete('shop');
for await (const { type } of resource('namespaces').watch({ fieldSelector: 'metadata.name=shop' }))
  if (type === 'DELETED') break;
console.log('gone');
`;

test('a program lives while it waits for a cluster, and not because it has one', () => {
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.deepEqual([child.status, child.stdout, child.stderr], [0, 'gone\n', '']);
});

test('disposal closes', async () => {
  let client: Client;
  {
    await using cluster = await createCluster({ controllers });
    client = cluster.client();
    assert.ok(await find(client.resource(core('namespaces')), 'default'));
  }
  await assert.rejects(configMaps(client).list(), { code: 'closed' });
});

const components: readonly [controllers: string[] | undefined, healthy: string[]][] = [
  [undefined, ['controller-manager', 'scheduler']],
  [['kube-scheduler'], ['scheduler']],
  [['namespace-controller'], ['controller-manager']],
];
for (const [names, healthy] of components)
  test(`with ${names?.join() ?? 'all controllers'}, ${healthy.join(' and ')} is a healthy part`, async (t) => {
    const cluster = await clusterOf(t, names === undefined ? {} : { controllers: names });
    const statuses = cluster.client().resource(core('componentstatuses'));
    for (const name of healthy) {
      const { conditions } = await statuses.get(name);
      assert.deepEqual(conditions, [{ type: 'Healthy', status: 'True', message: 'ok' }], name);
    }
  });
