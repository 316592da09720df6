import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Node, Pod, PodSpec } from '@keelson/apimachinery/types/core.v1';
import type { KubeObject } from '@keelson/apimachinery';
import type { ClusterOptions } from './create-cluster.ts';
import { core, find, simulateCluster } from './testing/simulated-cluster.ts';

const seconds = 1_000;

async function setUp(t: TestContext, options: ClusterOptions = {}) {
  const simulated = await simulateCluster(t, { nodes: 2, ...options });
  const { client, clock } = simulated;
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const nodes = client.resource<Node>(core('nodes'));
  const events = client.resource<KubeObject>(core('events')).namespace('default');
  await client.resource(core('serviceaccounts')).namespace('default').get('default');
  const state = async () => {
    const pod = await find(pods, 'p');
    return pod === undefined ? 'gone' : stateOf(pod);
  };
  return {
    ...simulated,
    pods,
    nodes,
    run: async (spec: Partial<PodSpec>, simulate: Record<string, string> = {}) => {
      const annotations = Object.fromEntries(
        Object.entries(simulate).map(([key, value]) => [`keelson.dev/simulate-${key}`, value]),
      );
      const container = { name: 'app', image: 'app:1' };
      await pods.create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', annotations },
        spec: { nodeName: 'node-1', containers: [container], ...spec },
      });
    },
    /** `Running app=running(0)`: the phase, and each container with its restarts. */
    state,
    /** What the state is so many seconds from now. */
    follow: async (at: Readonly<Record<number, string>>) => {
      let now = 0;
      for (const after of Object.keys(at)
        .map(Number)
        .toSorted((a, b) => a - b)) {
        await clock.advance((after - now) * seconds);
        now = after;
        assert.equal(await state(), at[after], `after ${after} s`);
      }
    },
    /** `Reason: message` in their order, without repetitions. */
    said: async () =>
      (await events.list()).items
        .filter(({ involvedObject }) => (involvedObject as KubeObject).kind === 'Pod')
        .map(({ reason, message }) => `${String(reason)}: ${String(message)}`),
    wait: (ms: number) => clock.advance(ms),
  };
}

function stateOf({ status = {} }: Pod): string {
  const all = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const containers = all.map(({ name, state = {}, restartCount, ready }) => {
    const { waiting, running, terminated } = state;
    const what =
      waiting?.reason ??
      (running && (ready ? 'ready' : 'running')) ??
      `${terminated?.reason}/${terminated?.exitCode}`;
    return `${name}=${what}(${restartCount})`;
  });
  const why = status.reason === undefined ? [] : [status.reason];
  return [status.phase, ...why, ...containers].join(' ');
}

test('a node registers as a kubelet does, and renews its lease', async (t) => {
  const { client, nodes, wait, warnings } = await setUp(t);
  const node = await nodes.get('node-1');
  assert.deepEqual(
    node.status?.conditions?.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['MemoryPressure', 'False', 'KubeletHasSufficientMemory'],
      ['DiskPressure', 'False', 'KubeletHasNoDiskPressure'],
      ['PIDPressure', 'False', 'KubeletHasSufficientPID'],
      ['Ready', 'True', 'KubeletReady'],
    ],
  );
  assert.equal(node.metadata?.labels?.['kubernetes.io/hostname'], 'node-1');
  assert.equal(node.status?.allocatable?.['pods'], '110');
  const addresses = (await nodes.list()).items.map(({ status }) => status?.addresses?.[0]?.address);
  assert.equal(new Set(addresses).size, 2);
  const leases = client
    .resource({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases' })
    .namespace('kube-node-lease');
  const renewed = async () => {
    const { spec } = await leases.get('node-1');
    return Date.parse(String((spec as Record<string, unknown>)['renewTime']));
  };
  await wait(20 * seconds);
  const before = await renewed();
  await wait(60 * seconds);
  assert.equal((await renewed()) - before, 60 * seconds);
  const csiNodes = client.resource({
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'csinodes',
  });
  assert.equal((await csiNodes.get('node-1')).metadata.ownerReferences?.[0]?.name, 'node-1');
  assert.deepEqual(warnings, []);
});

test('a node without power neither renews its lease nor leads its pods', async (t) => {
  const { client, nodes, wait, run, state } = await setUp(t);
  const stop = (value: string | null) =>
    nodes.patch('node-1', 'merge', {
      metadata: { annotations: { 'keelson.dev/simulate': value } },
    });
  const leases = client
    .resource({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases' })
    .namespace('kube-node-lease');
  await stop('stopped');
  await wait(1 * seconds);
  const { spec } = await leases.get('node-1');
  await run({});
  await wait(60 * seconds);
  assert.deepEqual((await leases.get('node-1')).spec, spec);
  assert.equal(await state(), 'Pending');
  await stop(null);
  await wait(1 * seconds);
  assert.notDeepEqual((await leases.get('node-1')).spec, spec);
  assert.equal(await state(), 'Running app=ready(0)');
});

/** What a pod is given, and what it looks like after so many seconds in all. */
interface Life {
  readonly name: string;
  readonly spec?: Partial<PodSpec>;
  readonly simulate?: Record<string, string>;
  readonly at: Readonly<Record<number, string>>;
  /** Some of the events. */
  readonly says?: readonly string[];
  readonly saysNot?: readonly RegExp[];
}

const main = (more: object = {}) => ({ name: 'app', image: 'app:1', ...more });
const probe = (more: object = {}) => ({ httpGet: { path: '/', port: 80 }, ...more });

const notYet = (name: string) => ` ${name}=PodInitializing(0)`;

const lives: readonly Life[] = [
  {
    name: 'a container starts and runs for ever',
    at: { 1: 'Running app=ready(0)', 3600: 'Running app=ready(0)' },
    says: [
      'Pulling: Pulling image "app:1"',
      'Created: Container created',
      'Started: Container started',
    ],
  },
  {
    name: 'of a pod that is not restarted, it completes after a second',
    spec: { restartPolicy: 'Never' },
    at: { 0.5: 'Running app=ready(0)', 2: 'Succeeded app=Completed/0(0)' },
  },
  {
    name: 'it fails with its exit code',
    spec: { restartPolicy: 'Never' },
    simulate: { 'run-for': '3s', 'exit-code': '7' },
    at: { 2: 'Running app=ready(0)', 4: 'Failed app=Error/7(0)' },
  },
  {
    name: 'out of memory',
    spec: { restartPolicy: 'Never' },
    simulate: { 'run-for': '3s', 'out-of-memory': 'true' },
    at: { 4: 'Failed app=OOMKilled/137(0)' },
  },
  {
    name: 'on failure it is tried again until it succeeds',
    spec: { restartPolicy: 'OnFailure' },
    simulate: { 'exit-code': '1,1,0' },
    at: {
      1.5: 'Running app=ready(1)',
      5: 'Running app=CrashLoopBackOff(1)',
      20: 'Succeeded app=Completed/0(2)',
    },
  },
  {
    name: 'a crash loop: at once, then after 10, 20, 40 seconds',
    simulate: { 'run-for': '1s', 'exit-code': '1' },
    at: {
      1.5: 'Running app=ready(1)',
      3: 'Running app=CrashLoopBackOff(1)',
      11: 'Running app=CrashLoopBackOff(1)',
      12.5: 'Running app=ready(2)',
      32: 'Running app=CrashLoopBackOff(2)',
      34: 'Running app=ready(3)',
      73: 'Running app=CrashLoopBackOff(3)',
    },
    says: [],
  },
  {
    name: 'an image that cannot be pulled',
    simulate: { pull: 'fail' },
    at: { 0.5: 'Pending app=ErrImagePull(0)', 5: 'Pending app=ImagePullBackOff(0)' },
    says: [
      'Failed: Error: ErrImagePull',
      'BackOff: Back-off pulling image "app:1"',
      'Failed: Error: ImagePullBackOff',
    ],
    saysNot: [/^Started/],
  },
  {
    name: 'an image that must be there and is not',
    spec: { containers: [main({ imagePullPolicy: 'Never' })] },
    at: { 5: 'Pending app=ErrImageNeverPull(0)' },
    says: ['ErrImageNeverPull: Container image "app:1" is not present with pull policy of Never'],
    saysNot: [/^Pulling/],
  },
  {
    name: 'ready after a while, as a probe finds',
    spec: { containers: [main({ readinessProbe: probe({ periodSeconds: 2 }) })] },
    simulate: { 'ready-after': '3s' },
    at: { 3.5: 'Running app=running(0)', 4.5: 'Running app=ready(0)' },
    says: ['Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503'],
  },
  {
    name: 'a liveness probe that fails three times restarts it',
    spec: { containers: [main({ livenessProbe: probe({ periodSeconds: 5 }) })] },
    simulate: { 'liveness-fails-after': '12s' },
    at: { 20: 'Running app=ready(0)', 26: 'Running app=ready(1)' },
    says: ['Killing: Container app failed liveness probe, will be restarted'],
  },
  {
    name: 'a startup probe holds readiness back',
    spec: {
      containers: [
        main({
          startupProbe: probe({ periodSeconds: 4, failureThreshold: 10 }),
          readinessProbe: probe({ periodSeconds: 1 }),
        }),
      ],
    },
    simulate: { 'started-after': '7s' },
    at: { 7.5: 'Running app=running(0)', 9: 'Running app=ready(0)' },
  },
  {
    name: 'init containers go one after the other, a sidecar among them stays',
    spec: {
      initContainers: [
        main({ name: 'one' }),
        main({ name: 'mesh', restartPolicy: 'Always' }),
        main({ name: 'two' }),
      ],
      restartPolicy: 'Never',
    },
    simulate: { 'run-for.one': '3s', 'run-for.two': '3s' },
    at: {
      2: `Pending one=running(0)${['mesh', 'two', 'app'].map(notYet).join('')}`,
      5: 'Pending one=Completed/0(0) mesh=ready(0) two=running(0) app=PodInitializing(0)',
      9: 'Succeeded one=Completed/0(0) mesh=Completed/0(0) two=Completed/0(0) app=Completed/0(0)',
    },
  },
  {
    name: 'an init container that fails ends a pod that is not restarted',
    spec: { initContainers: [main({ name: 'one' })], restartPolicy: 'Never' },
    simulate: { 'exit-code.one': '3' },
    at: { 2: 'Failed one=Error/3(0) app=PodInitializing(0)' },
  },
  {
    name: 'its time is up',
    spec: { activeDeadlineSeconds: 5 },
    at: { 4: 'Running app=ready(0)', 6: 'Failed DeadlineExceeded app=Completed/0(0)' },
    says: ['DeadlineExceeded: Pod was active on the node longer than the specified deadline'],
  },
  {
    name: 'the node evicts it',
    simulate: { 'evict-after': '5s' },
    at: { 4: 'Running app=ready(0)', 6: 'Failed Evicted app=Completed/0(0)' },
  },
  {
    name: 'more than the node has',
    spec: { containers: [main({ resources: { requests: { cpu: '9' } } })] },
    at: { 1: 'Failed OutOfcpu' },
    says: [
      "OutOfcpu: Node didn't have enough resource: cpu, requested: 9000, used: 0, capacity: 8000",
    ],
    saysNot: [/^Pulling/],
  },
  {
    name: 'another node was meant',
    spec: { nodeSelector: { 'kubernetes.io/hostname': 'node-2' } },
    at: { 1: 'Failed NodeAffinity' },
  },
  {
    name: 'a ConfigMap that its volume needs is missing',
    spec: { containers: [main()], volumes: [{ name: 'v', configMap: { name: 'none' } }] },
    at: { 60: 'Pending app=ContainerCreating(0)' },
    says: ['FailedMount: MountVolume.SetUp failed for volume "v" : configmap "none" not found'],
    saysNot: [/^Pulling/],
  },
  {
    name: 'a Secret that its environment needs is missing',
    spec: { containers: [main({ envFrom: [{ secretRef: { name: 'none' } }] })] },
    at: { 60: 'Pending app=CreateContainerConfigError(0)' },
    says: ['Failed: Error: secret "none" not found'],
    saysNot: [/^Started/],
  },
  {
    name: 'what is optional may be missing',
    spec: {
      containers: [main({ envFrom: [{ secretRef: { name: 'none', optional: true } }] })],
      volumes: [{ name: 'v', configMap: { name: 'none', optional: true } }],
    },
    at: { 1: 'Running app=ready(0)' },
  },
];

for (const { name, spec = {}, simulate = {}, at, says = [], saysNot = [] } of lives)
  test(`a pod: ${name}`, async (t) => {
    const { run, follow, said, warnings } = await setUp(t);
    await run(spec, simulate);
    await follow(at);
    const texts = await said();
    for (const text of says) assert.ok(texts.includes(text), `${text}\nof\n${texts.join('\n')}`);
    for (const text of saysNot) assert.ok(!texts.some((one) => text.test(one)), String(text));
    assert.deepEqual(warnings, []);
  });

/** How a pod goes that is deleted after ten seconds: what it looks like so long after that. */
const deletions: readonly (Life & { readonly grace?: number })[] = [
  {
    name: 'at once when it stops at once',
    at: { 0.5: 'gone' },
    says: ['Killing: Stopping container app'],
  },
  {
    name: 'after the hook has slept',
    spec: { containers: [main({ lifecycle: { preStop: { sleep: { seconds: 5 } } } })] },
    at: { 4: 'Running app=ready(0)', 6: 'gone' },
  },
  {
    name: 'killed when its time is up',
    simulate: { 'stop-after': 'forever' },
    spec: { terminationGracePeriodSeconds: 10 },
    at: { 9: 'Running app=ready(0)', 11: 'gone' },
  },
  {
    name: 'sooner when the deletion says so',
    simulate: { 'stop-after': 'forever' },
    grace: 3,
    at: { 2: 'Running app=ready(0)', 4: 'gone' },
  },
  {
    name: 'sidecars after the others',
    spec: { initContainers: [main({ name: 'mesh', restartPolicy: 'Always' })] },
    simulate: { 'stop-after': '3s', 'stop-after.mesh': '3s' },
    at: {
      2: 'Running mesh=ready(0) app=ready(0)',
      4: 'Running mesh=ready(0) app=Completed/0(0)',
      7: 'gone',
    },
  },
];

for (const { name, spec = {}, simulate = {}, grace, at, says = [] } of deletions)
  test(`a pod is deleted: ${name}`, async (t) => {
    const { run, pods, follow, said, wait } = await setUp(t);
    await run(spec, simulate);
    await wait(10 * seconds);
    await pods.delete('p', grace === undefined ? {} : { gracePeriodSeconds: grace });
    await follow(at);
    const texts = await said();
    for (const text of says) assert.ok(texts.includes(text), texts.join('\n'));
  });

test('what was missing comes, and the pod starts', async (t) => {
  const { run, state, wait, client } = await setUp(t);
  await run({
    containers: [
      main({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'a' } } }] }),
    ],
    volumes: [{ name: 'v', secret: { secretName: 's' } }],
  });
  await wait(3 * seconds);
  assert.equal(await state(), 'Pending app=ContainerCreating(0)');
  const create = (resource: string, object: object) =>
    client
      .resource(core(resource))
      .namespace('default')
      .create(object as KubeObject);
  await create('secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } });
  await create('configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { a: '1' },
  });
  await wait(10 * seconds);
  assert.equal(await state(), 'Running app=ready(0)');
});

test('a pod whose readiness gate is closed is not ready', async (t) => {
  const { run, pods, wait } = await setUp(t);
  await run({ readinessGates: [{ conditionType: 'example.com/open' }] });
  await wait(1 * seconds);
  const ready = async () =>
    (await pods.get('p')).status?.conditions?.find(({ type }) => type === 'Ready');
  assert.equal((await ready())?.reason, 'ReadinessGatesNotReady');
  const conditions = [{ type: 'example.com/open', status: 'True' }];
  await pods.patch('p', 'strategic', { status: { conditions } }, { subresource: 'status' });
  await wait(1 * seconds);
  assert.equal((await ready())?.status, 'True');
  assert.equal((await ready())?.reason, undefined);
});

test('a resize is taken over, or waits until there is room', async (t) => {
  const { run, pods, wait } = await setUp(t);
  const asking = (cpu: string) => [main({ resources: { requests: { cpu } } })];
  await run({ containers: asking('1') });
  await pods.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'other' },
    spec: { nodeName: 'node-1', containers: asking('5') },
  });
  await wait(1 * seconds);
  const sizes = async () => {
    await wait(1 * seconds);
    const { status = {} } = await pods.get('p');
    const pending = status.conditions?.find(({ type }) => type === 'PodResizePending');
    return [status.containerStatuses?.[0]?.allocatedResources?.['cpu'], pending?.reason];
  };
  const resize = async (cpu: string) => {
    const containers = [{ name: 'app', resources: { requests: { cpu } } }];
    await pods.patch('p', 'strategic', { spec: { containers } }, { subresource: 'resize' });
    return sizes();
  };
  assert.deepEqual(await resize('2'), ['2', undefined]);
  assert.deepEqual(await resize('4'), ['2', 'Deferred']);
  await pods.delete('other');
  assert.deepEqual(await sizes(), ['4', undefined]);
});

test('a fork of the cluster goes on where its pods are', async (t) => {
  const { cluster, run, wait } = await setUp(t);
  await run({});
  await wait(5 * seconds);
  const fork = await cluster.fork();
  t.after(() => fork.close());
  const pods = fork.client().resource<Pod>(core('pods')).namespace('default');
  const before = (await pods.get('p')).status?.containerStatuses;
  await wait(60 * seconds);
  assert.deepEqual((await pods.get('p')).status?.containerStatuses, before);
  await pods.delete('p');
  await wait(5 * seconds);
  assert.equal(await find(pods, 'p'), undefined);
});

test('rules decide, the first one that has a field; annotations come before', async (t) => {
  const nodeRules = {
    apiVersion: 'keelson.dev/v1alpha1',
    kind: 'NodeRules',
    rules: [
      { match: { images: ['other:*'] }, exitCode: 9 },
      { match: { images: ['app:*'], names: ['p'] }, runFor: '2s' },
      { exitCode: 5, runFor: '60s' },
    ],
  };
  const { run, state, wait } = await setUp(t, { nodeRules });
  await run({ restartPolicy: 'Never' });
  await wait(3 * seconds);
  assert.equal(await state(), 'Failed app=Error/5(0)');
});
