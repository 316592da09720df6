// Two control planes over one storage: the controllers of one work, and those of the other take
// over when it ends, is gone, or has lost its lease.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createSeededRandom, createSimulatedClock } from '@keelson/apimachinery';
import type { Lease } from '@keelson/apimachinery/types/coordination.k8s.io.v1';
import type { ConfigMap, Event, Pod } from '@keelson/apimachinery/types/core.v1';
import { callInProcess, createFeatures, createMemoryStorage } from '@keelson/apiserver';
import type { Client } from '@keelson/client';
import { defaultLeaseTimes } from '@keelson/controllers';
import { selectControllers } from './controller-list.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { createInProcessClient } from './in-process-client.ts';
import { createLazyPki } from './pki.ts';
import { core, find } from './testing/simulated-cluster.ts';

const leasesResource = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' };
const components = ['kube-controller-manager', 'kube-scheduler'] as const;

interface Planes {
  readonly first: ControlPlane;
  readonly second: ControlPlane;
  readonly client: Client;
  pass(ms: number): Promise<void>;
  lease(name: string): Promise<Lease>;
  /** Whether a controller gives a new namespace its root certificate. */
  areControllersAtWork(): Promise<boolean>;
  warnings(): readonly string[];
}

async function startTwo(t: TestContext): Promise<Planes> {
  const clock = createSimulatedClock();
  const storage = createMemoryStorage({ clock });
  const random = createSeededRandom(1);
  const pki = createLazyPki({ clock, random }, { dnsNames: ['localhost'], ipAddresses: [] });
  const logged: string[] = [];
  const warn = (text: string, fields = {}) => void logged.push(`${text} ${JSON.stringify(fields)}`);
  const start = (seed: number) =>
    startControlPlane({
      // The storage is there for longer than either of them.
      storage: Object.assign(Object.create(storage) as typeof storage, { close: async () => {} }),
      features: createFeatures(),
      pki,
      controllers: selectControllers(['*']),
      leaderElection: { times: defaultLeaseTimes },
      serverAddress: () => '127.0.0.1:6443',
      clock,
      random: createSeededRandom(seed),
      logger: { error: warn, warn, info() {}, debug() {} },
    });
  const first = await start(1);
  await clock.advance(500);
  const second = await start(2);
  await clock.advance(500);
  const user = { name: 'root', groups: ['system:masters'] };
  const client = createInProcessClient({
    serve: second.server.serve,
    user,
    userAgent: 'test',
    clock,
    random,
  });
  t.after(async () => {
    await first.close();
    await second.close();
    await storage.close();
  });
  let namespaces = 0;
  return {
    first,
    second,
    client,
    pass: (ms) => clock.advance(ms),
    lease: (name) => client.resource<Lease>(leasesResource).namespace('kube-system').get(name),
    async areControllersAtWork() {
      const name = `n${namespaces++}`;
      await client.resource(core('namespaces')).create({ metadata: { name } });
      await clock.advance(1_000);
      const maps = client.resource<ConfigMap>(core('configmaps')).namespace(name);
      return (await find(maps, 'kube-root-ca.crt')) !== undefined;
    },
    warnings: () => logged,
  };
}

const holderOf = ({ spec }: Lease) => spec?.holderIdentity ?? '';

/** Runs until the work is done, while time passes. */
async function meanwhile(planes: Planes, work: Promise<void>): Promise<void> {
  let isDone = false;
  void work.then(() => (isDone = true));
  for (let step = 0; step < 100 && !isDone; step++) await planes.pass(100);
  assert.ok(isDone, 'done in ten seconds');
}

test('the first to come leads, and keeps its leases', async (t) => {
  const planes = await startTwo(t);
  const before = await Promise.all(components.map(planes.lease));
  for (const { spec } of before) {
    assert.match(spec?.holderIdentity ?? '', /^.+_[0-9a-f-]{36}$/);
    assert.equal(spec?.leaseDurationSeconds, 15);
    assert.equal(spec?.leaseTransitions, 0);
    assert.equal(spec?.acquireTime, spec?.renewTime);
  }
  assert.ok(await planes.areControllersAtWork());
  await planes.pass(60_000);
  const after = await Promise.all(components.map(planes.lease));
  assert.deepEqual(after.map(holderOf), before.map(holderOf));
  for (const [index, { spec }] of after.entries()) {
    assert.equal(spec?.leaseTransitions, 0);
    assert.equal(spec?.acquireTime, before[index]?.spec?.acquireTime);
    assert.ok((spec?.renewTime ?? '') > (before[index]?.spec?.renewTime ?? ''));
  }
  const events = await planes.client
    .resource<Event>(core('events'))
    .namespace('kube-system')
    .list();
  const elections = events.items
    .filter(({ reason }) => reason === 'LeaderElection')
    .map(({ source, involvedObject, message, type }) => ({
      from: source?.component,
      about: `${involvedObject.kind} ${involvedObject.namespace}/${involvedObject.name}`,
      text: `${type} ${message?.replace(/^\S+_\S+ /, '')}`,
    }));
  assert.deepEqual(
    elections.toSorted((a, b) => a.about.localeCompare(b.about)),
    [
      {
        from: 'kube-controller-manager',
        about: 'Lease kube-system/kube-controller-manager',
        text: 'Normal became leader',
      },
      {
        from: 'default-scheduler',
        about: 'Lease kube-system/kube-scheduler',
        text: 'Normal became leader',
      },
    ],
  );
  assert.deepEqual(planes.warnings(), []);
});

test('who ends gives its leases back, and the other goes on', async (t) => {
  const planes = await startTwo(t);
  const [before] = await Promise.all(components.map(planes.lease));
  await meanwhile(planes, planes.first.close());
  await planes.pass(5_000);
  for (const name of components) {
    const lease = await planes.lease(name);
    assert.notEqual(holderOf(lease), '');
    assert.notEqual(holderOf(lease), before && holderOf(before));
    assert.equal(lease.spec?.leaseTransitions, 1);
  }
  assert.ok(await planes.areControllersAtWork());
});

test('who has lost its lease to another stops, and waits', async (t) => {
  const planes = await startTwo(t);
  const leases = planes.client.resource<Lease>(leasesResource).namespace('kube-system');
  const holderIdentity = 'somebody-else';
  const take = async () => {
    const lease = await planes.lease('kube-controller-manager');
    await leases.update({ ...lease, spec: { ...lease.spec, holderIdentity } });
  };
  await take();
  await planes.pass(3_000);
  assert.equal(await planes.areControllersAtWork(), false);
  await planes.pass(8_000);
  assert.equal(holderOf(await planes.lease('kube-controller-manager')), holderIdentity);
  // It never renews, and so it is taken for dead.
  await planes.pass(10_000);
  assert.notEqual(holderOf(await planes.lease('kube-controller-manager')), holderIdentity);
  assert.ok(await planes.areControllersAtWork());
});

test('only the scheduler that leads explains', async (t) => {
  const planes = await startTwo(t);
  const pods = planes.client.resource<Pod>(core('pods')).namespace('default');
  await planes.client
    .resource(core('serviceaccounts'))
    .namespace('default')
    .create({ metadata: { name: 'default' } })
    .catch(() => {});
  await pods.create({
    metadata: { name: 'web' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  await planes.pass(1_000);
  const explains = async ({ server }: ControlPlane) => {
    const answer = await callInProcess(server.serve, {
      method: 'GET',
      url: '/debug/keelson/traces/pods/default/web',
      user: { name: 'root', uid: '', groups: ['system:masters'], extra: {} },
    });
    await answer.bytes();
    return answer.status;
  };
  assert.deepEqual([await explains(planes.first), await explains(planes.second)], [200, 503]);
  const leases = planes.client.resource<Lease>(leasesResource).namespace('kube-system');
  const lease = await planes.lease('kube-scheduler');
  await leases.update({ ...lease, spec: { ...lease.spec, holderIdentity: 'somebody-else' } });
  await planes.pass(3_000);
  assert.deepEqual([await explains(planes.first), await explains(planes.second)], [503, 503]);
});
