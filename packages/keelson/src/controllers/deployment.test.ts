import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Deployment, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { formatTime } from '@keelson/apimachinery';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const apps = (resource: string) => ({ group: 'apps', version: 'v1', resource });
const labels = { app: 'web' };
const deployment = (spec: object = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 4,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'app:1' }] } },
    ...spec,
  },
});
const image = (name: string) => ({
  spec: { template: { spec: { containers: [{ name: 'c', image: name }] } } },
});

async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t);
  const { client, clock } = simulated;
  const deployments = client.resource<Deployment>(apps('deployments')).namespace('default');
  const sets = client.resource<ReplicaSet>(apps('replicasets')).namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  /** Does a kubelet's work for a while: pods become ready, deleted ones go. */
  const live = async (rounds = 20, look: () => Promise<void> = async () => {}) => {
    for (let round = 0; round < rounds; round++) {
      await clock.advance(1_000);
      await look();
      for (const pod of (await pods.list()).items) {
        const name = pod.metadata.name ?? '';
        if (pod.metadata.deletionTimestamp !== undefined)
          await pods.delete(name, { gracePeriodSeconds: 0 });
        else if (pod.status?.phase === 'Pending') await makeReady(name);
      }
    }
  };
  const makeReady = (name: string) => {
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: formatTime(clock.now()) };
    return pods.patch(
      name,
      'merge',
      { status: { phase: 'Running', conditions: [ready] } },
      { subresource: 'status' },
    );
  };
  const images = async () =>
    (await pods.list()).items.map(({ spec }) => spec.containers?.[0]?.image ?? '').toSorted();
  const reasonOf = async (type: string) =>
    (await deployments.get('web')).status?.conditions?.find((c) => c.type === type)?.reason;
  /** What the Deployment's own events say, in order. */
  const told = async (reason: string) =>
    (await client.resource(core('events')).namespace('default').list()).items
      .filter((event) => event.reason === reason)
      .map(({ message }) => message as string);
  return { ...simulated, deployments, sets, pods, live, images, reasonOf, told };
}

test('a rollout replaces all pods within its bounds, and can be undone', async (t) => {
  const { deployments, sets, pods, live, images, reasonOf, warnings } = await setUp(t);
  await deployments.create(
    deployment({ strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } }),
  );
  await live();
  assert.deepEqual(await images(), ['app:1', 'app:1', 'app:1', 'app:1']);
  assert.equal(await reasonOf('Progressing'), 'NewReplicaSetAvailable');

  await deployments.patch('web', 'strategic', image('app:2'));
  await live(40, async () => {
    const active = (await pods.list()).items.filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
    const ready = active.filter(({ status }) => status?.phase === 'Running');
    assert.ok(active.length <= 5, `${active.length} pods`);
    assert.ok(ready.length >= 3, `${ready.length} ready pods`);
  });
  assert.deepEqual(await images(), ['app:2', 'app:2', 'app:2', 'app:2']);

  await deployments.patch('web', 'strategic', image('app:1'));
  await live(40);
  assert.deepEqual(await images(), ['app:1', 'app:1', 'app:1', 'app:1']);
  const revisions = (await sets.list()).items.map(({ metadata: { annotations = {} }, spec }) => [
    annotations['deployment.kubernetes.io/revision'],
    annotations['deployment.kubernetes.io/revision-history'],
    spec.replicas,
  ]);
  assert.deepEqual(revisions.toSorted(), [
    ['2', undefined, 0],
    ['3', '1', 4],
  ]);
  assert.deepEqual(warnings, []);
});

test('Recreate waits until the last old pod is gone', async (t) => {
  const { deployments, live, pods, images } = await setUp(t);
  await deployments.create(deployment({ strategy: { type: 'Recreate' } }));
  await live();
  await deployments.patch('web', 'strategic', image('app:2'));
  await live(20, async () => {
    const kinds = new Set((await pods.list()).items.map(({ spec }) => spec.containers?.[0]?.image));
    assert.ok(kinds.size <= 1, 'old and new pods side by side');
  });
  assert.deepEqual(await images(), ['app:2', 'app:2', 'app:2', 'app:2']);
});

test('a rollout that stands still is told after its deadline, and goes on', async (t) => {
  const { deployments, clock, live, reasonOf } = await setUp(t);
  await deployments.create(deployment({ progressDeadlineSeconds: 60 }));
  await clock.advance(50_000);
  assert.equal(await reasonOf('Progressing'), 'ReplicaSetUpdated');
  await clock.advance(20_000);
  assert.equal(await reasonOf('Progressing'), 'ProgressDeadlineExceeded');
  assert.equal(await reasonOf('Available'), 'MinimumReplicasUnavailable');
  await live();
  assert.equal(await reasonOf('Progressing'), 'NewReplicaSetAvailable');
  assert.equal(await reasonOf('Available'), 'MinimumReplicasAvailable');
});

test('a pause holds the template back, not the size', async (t) => {
  const { deployments, live, images, reasonOf } = await setUp(t);
  await deployments.create(deployment());
  await live();
  await deployments.patch('web', 'merge', { spec: { paused: true } });
  await live(3);
  assert.equal(await reasonOf('Progressing'), 'DeploymentPaused');
  await deployments.patch('web', 'strategic', image('app:2'));
  await deployments.patch('web', 'merge', { spec: { replicas: 2 } });
  await live();
  assert.deepEqual(await images(), ['app:1', 'app:1']);
  await deployments.patch('web', 'merge', { spec: { paused: false } });
  await live();
  assert.deepEqual(await images(), ['app:2', 'app:2']);
});

test('only as many old revisions are kept as are asked for', async (t) => {
  const { deployments, sets, live } = await setUp(t);
  await deployments.create(deployment({ replicas: 1, revisionHistoryLimit: 2 }));
  for (const version of [2, 3, 4, 5]) {
    await live(10);
    await deployments.patch('web', 'strategic', image(`app:${version}`));
  }
  await live(20);
  const revisions = (await sets.list()).items.map(
    (s) => s.metadata.annotations?.['deployment.kubernetes.io/revision'],
  );
  assert.deepEqual(revisions.toSorted(), ['3', '4', '5']);
});

test('a name that is taken gets another hash', async (t) => {
  const { deployments, sets, live } = await setUp(t);
  await deployments.create(deployment({ replicas: 1 }));
  await live(5);
  const [taken] = (await sets.list()).items;
  await deployments.delete('web', { propagationPolicy: 'Background' });
  await live(5);
  assert.ok(taken !== undefined);
  const stranger = {
    metadata: { name: taken.metadata.name ?? '' },
    spec: { ...taken.spec, replicas: 0 },
  };
  await sets.create(stranger as ReplicaSet);
  await sets.patch(stranger.metadata.name, 'merge', {
    metadata: {
      ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'x', controller: true }],
    },
  });
  await deployments.create(deployment({ replicas: 1 }));
  await live(10);
  const { status } = await deployments.get('web');
  assert.equal(status?.collisionCount, 1);
  assert.equal(status?.availableReplicas, 1);
});

const undo = (revision: string) => ({
  metadata: { annotations: { 'deprecated.deployment.rollback.to': revision } },
});

test('an annotation asks for an earlier revision, and goes', async (t) => {
  const rows: [revision: string, images: string, reason: string, message: string][] = [
    ['0', 'app:2', 'DeploymentRollback', 'Rolled back deployment "web" to revision 2'],
    ['1', 'app:1', 'DeploymentRollback', 'Rolled back deployment "web" to revision 1'],
    [
      '3',
      'app:3',
      'DeploymentRollbackTemplateUnchanged',
      'The rollback revision contains the same template as current deployment "web"',
    ],
    [
      '7',
      'app:3',
      'DeploymentRollbackRevisionNotFound',
      'Unable to find the revision to rollback to.',
    ],
  ];
  for (const [revision, expected, reason, message] of rows) {
    const { deployments, live, images, told } = await setUp(t);
    await deployments.create({
      ...deployment({ replicas: 1 }),
      metadata: { name: 'web', annotations: { is: 'app:1' } },
    });
    for (const name of ['app:2', 'app:3']) {
      await live(6);
      await deployments.patch('web', 'strategic', {
        ...image(name),
        metadata: { annotations: { is: name } },
      });
    }
    await live(6);
    await deployments.patch('web', 'merge', undo(revision));
    await live(6);
    assert.deepEqual(await images(), [expected], revision);
    const { annotations } = (await deployments.get('web')).metadata;
    assert.equal(annotations?.['deprecated.deployment.rollback.to'], undefined);
    assert.equal(annotations?.['is'], expected, revision);
    assert.deepEqual(await told(reason), [message], revision);
  }
});

test('an annotation that is no number asks for nothing, nor one of a first revision', async (t) => {
  const { deployments, live, told } = await setUp(t);
  await deployments.create(deployment({ replicas: 1 }));
  await live(5);
  await deployments.patch('web', 'merge', undo('one'));
  await live(5);
  const { annotations } = (await deployments.get('web')).metadata;
  assert.equal(annotations?.['deprecated.deployment.rollback.to'], 'one');
  await deployments.patch('web', 'merge', undo('0'));
  await live(5);
  const notFound = 'DeploymentRollbackRevisionNotFound';
  assert.deepEqual(await told(notFound), ['Unable to find last revision.']);
});

test('pods that serve nobody go first, and are told on their own', async (t) => {
  const { deployments, sets, pods, clock, live, told } = await setUp(t);
  const rollingUpdate = { maxSurge: 0, maxUnavailable: 2 };
  await deployments.create(deployment({ strategy: { rollingUpdate } }));
  await live(4);
  const [name = ''] = (await pods.list()).items.map(({ metadata }) => metadata.name ?? '');
  const conditions = [{ type: 'Ready', status: 'False' }];
  await pods.patch(name, 'strategic', { status: { conditions } }, { subresource: 'status' });
  await clock.advance(2_000);
  await deployments.patch('web', 'strategic', image('app:2'));
  await clock.advance(100);
  const old = (await sets.list()).items.find(
    ({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'] === '1',
  );
  const messages = (await told('ScalingReplicaSet')).filter((message) => / down /.test(message));
  const what = `Scaled down replica set ${old?.metadata.name}`;
  assert.deepEqual(messages, [`${what} from 4 to 3`, `${what} from 3 to 2`]);
});

test('a ReplicaSet that may not be created is told, in the status where a deadline is', async (t) => {
  const rows: [deadline: number, reason: string | undefined][] = [
    [600, 'ReplicaSetCreateError'],
    [2 ** 31 - 1, undefined],
  ];
  for (const [progressDeadlineSeconds, reason] of rows) {
    const { deployments, client, clock, reasonOf, told } = await setUp(t);
    const quotas = client.resource(core('resourcequotas')).namespace('default');
    const hard = { 'count/replicasets.apps': '0' };
    await quotas.create({ metadata: { name: 'q' }, spec: { hard } });
    const status = { status: { hard, used: hard } };
    await quotas.patch('q', 'merge', status, { subresource: 'status' });
    await deployments.create(deployment({ progressDeadlineSeconds }));
    await clock.advance(5_000);
    assert.equal(await reasonOf('Progressing'), reason);
    const [message = ''] = await told('ReplicaSetCreateError');
    const text =
      /^Failed to create new replica set "web-[a-z0-9]+": .*exceeded quota: q, requested/;
    assert.match(message, text);
  }
});

test('the failure of a ReplicaSet is the failure of its Deployment, with its time', async (t) => {
  const { deployments, sets, client, clock } = await setUp(t);
  const quotas = client.resource(core('resourcequotas')).namespace('default');
  const hard = { pods: '0' };
  await quotas.create({ metadata: { name: 'q' }, spec: { hard } });
  const status = { status: { hard, used: hard } };
  await quotas.patch('q', 'merge', status, { subresource: 'status' });
  await deployments.create(deployment());
  await clock.advance(5_000);
  const [of] = (await sets.list()).items[0]?.status?.conditions ?? [];
  const { status: is } = await deployments.get('web');
  const failure = is?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  assert.deepEqual(failure, { ...of, lastUpdateTime: of?.lastTransitionTime });
});

test('the ReplicaSet of a long name has room for its hash', async (t) => {
  const { deployments, sets, clock } = await setUp(t);
  const name = 'w'.repeat(253);
  await deployments.create({ ...deployment({ replicas: 0 }), metadata: { name } });
  await clock.advance(2_000);
  const [set] = (await sets.list()).items;
  assert.equal(set?.metadata.name?.length, 253);
  assert.match(set?.metadata.name ?? '', /^w{240,}-[a-z0-9]{4,12}$/);
});
