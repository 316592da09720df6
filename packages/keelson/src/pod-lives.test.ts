import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSpec } from '@keelson/apimachinery/types/core.v1';
import { main, seconds, setUpNodes } from './testing/node-cluster.ts';

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

const probe = (more: object = {}) => ({ httpGet: { path: '/', port: 80 }, ...more });

const restartOn = (operator: 'In' | 'NotIn', code: number, what: '' | 'AllContainers' = '') => ({
  action: `Restart${what}` as const,
  exitCodes: { operator, values: [code] },
});

const removed = (name: string) => ` ${name}=RestartingAllContainers(1)`;
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
      1.5: 'Running app=Error/1(0)',
      2.5: 'Running app=ready(1)',
      5: 'Running app=CrashLoopBackOff(1)',
      20: 'Succeeded app=Completed/0(2)',
    },
  },
  {
    name: 'a crash loop: at once, then after 10, 20, 40 seconds',
    simulate: { 'run-for': '1s', 'exit-code': '1' },
    at: {
      1.5: 'Running app=Error/1(0)',
      2.5: 'Running app=ready(1)',
      3.5: 'Running app=Error/1(1)',
      4.5: 'Running app=CrashLoopBackOff(1)',
      12: 'Running app=CrashLoopBackOff(1)',
      13.5: 'Running app=ready(2)',
      33: 'Running app=CrashLoopBackOff(2)',
      34.5: 'Running app=ready(3)',
      73: 'Running app=CrashLoopBackOff(3)',
    },
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
    name: 'an image that has no name',
    spec: { containers: [main({ image: 'App:1' })] },
    at: { 5: 'Pending app=InvalidImageName(0)' },
    says: [
      `InspectFailed: Failed to apply default image tag "App:1": couldn't parse image name "App:1": ` +
        'invalid reference format: repository name (library/App) must be lowercase',
      'Failed: Error: InvalidImageName',
    ],
    saysNot: [/^Pulling/],
  },
  {
    name: 'it is to be root, and must not be',
    spec: { containers: [main({ securityContext: { runAsNonRoot: true, runAsUser: 0 } })] },
    at: { 60: 'Pending app=CreateContainerConfigError(0)' },
    saysNot: [/^Started/],
  },
  {
    name: 'it must not be root, and its image knows somebody else',
    spec: { securityContext: { runAsNonRoot: true } },
    at: { 1: 'Running app=ready(0)' },
  },
  {
    name: 'a rule for its exit code restarts it in a pod that is not restarted',
    spec: {
      containers: [main({ restartPolicy: 'Never', restartPolicyRules: [restartOn('In', 42)] })],
      restartPolicy: 'Never',
    },
    simulate: { 'exit-code': '42,1' },
    at: { 1.5: 'Running app=Error/42(0)', 2.5: 'Running app=ready(1)', 5: 'Failed app=Error/1(1)' },
  },
  {
    name: 'a rule for its exit code restarts all of its pod',
    spec: {
      initContainers: [main({ name: 'one' })],
      containers: [
        main({
          restartPolicy: 'Never',
          restartPolicyRules: [restartOn('In', 42, 'AllContainers')],
        }),
        main({ name: 'other' }),
      ],
      restartPolicy: 'Never',
    },
    simulate: { 'exit-code.app': '42,0', 'run-for.other': '30s' },
    at: {
      0.5: 'Running one=Completed/0(0) app=ready(0) other=ready(0)',
      1.5: 'Running one=Completed/0(0) app=Error/42(0) other=ready(0)',
      2.5: `Running${['one', 'app', 'other'].map(removed).join('')}`,
      3.5: 'Running one=Completed/0(1) app=ready(1) other=ready(1)',
      10: 'Running one=Completed/0(1) app=Completed/0(1) other=ready(1)',
    },
  },
  {
    name: 'its own policy comes before that of its pod',
    spec: { containers: [main({ restartPolicy: 'Never' })] },
    simulate: { 'run-for': '1s' },
    at: { 0.5: 'Running app=ready(0)', 2: 'Succeeded app=Completed/0(0)' },
  },
  {
    name: 'an init container that a rule restarts does not end its pod',
    spec: {
      initContainers: [
        main({ name: 'one', restartPolicy: 'Never', restartPolicyRules: [restartOn('NotIn', 1)] }),
      ],
      restartPolicy: 'Never',
    },
    simulate: { 'exit-code.one': '3,0' },
    at: {
      0.5: 'Pending one=Error/3(0) app=PodInitializing(0)',
      5: 'Succeeded one=Completed/0(1) app=Completed/0(0)',
    },
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
    simulate: { 'evict-after': '5s', 'memory-usage': '64Mi' },
    at: { 4: 'Running app=ready(0)', 6: 'Failed Evicted app=Completed/0(0)' },
    says: [
      'Evicted: The node was low on resource: memory. Threshold quantity: 100Mi, ' +
        'available: 96Mi. Container app was using 64Mi, request is 0, has larger consumption of memory. ',
    ],
  },
  {
    name: 'the node evicts it, though it uses no more than it asked for',
    spec: { containers: [main({ resources: { requests: { memory: '64Mi' } } })] },
    simulate: { 'evict-after': '5s', 'memory-usage': '64Mi' },
    at: { 6: 'Failed Evicted app=Completed/0(0)' },
    says: [
      'Evicted: The node was low on resource: memory. Threshold quantity: 100Mi, available: 96Mi. ',
    ],
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
    saysNot: [/^Pulling/, /^FailedMount: Unable/],
  },
  {
    name: 'of several volumes each says what it misses, and some time later the pod does',
    spec: {
      containers: [main()],
      volumes: [
        { name: 'w', secret: { secretName: 'none' } },
        {
          name: 'v',
          configMap: { name: 'kube-root-ca.crt', items: [{ key: 'none', path: 'none' }] },
        },
      ],
    },
    at: { 260: 'Pending app=ContainerCreating(0)' },
    says: [
      'FailedMount: MountVolume.SetUp failed for volume "w" : secret "none" not found',
      'FailedMount: MountVolume.SetUp failed for volume "v" : ' +
        'configmap references non-existent config key: none',
      'FailedMount: Unable to attach or mount volumes: unmounted volumes=[v w], ' +
        'unattached volumes=[], failed to process volumes=[]: context deadline exceeded',
    ],
  },
  {
    name: 'a claim is missing',
    spec: {
      containers: [main()],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'none' } }],
    },
    at: { 60: 'Pending app=ContainerCreating(0)' },
    says: [
      'FailedMount: Unable to attach or mount volumes: unmounted volumes=[v], ' +
        'unattached volumes=[], failed to process volumes=[v]: error processing PVC default/none: ' +
        'failed to fetch PVC from API server: persistentvolumeclaims "none" not found',
    ],
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
    const { run, follow, said, warnings } = await setUpNodes(t);
    await run(spec, simulate);
    await follow(at);
    const texts = await said();
    for (const text of says) assert.ok(texts.includes(text), `${text}\nof\n${texts.join('\n')}`);
    for (const text of saysNot) assert.ok(!texts.some((one) => text.test(one)), String(text));
    assert.deepEqual(warnings, []);
  });

/** Of containers that do not run: how often something is said within a minute. */
const repeated: readonly (Pick<Life, 'spec' | 'simulate'> & {
  readonly name: string;
  readonly counts: Readonly<Record<string, number>>;
})[] = [
  {
    name: 'without its configuration',
    spec: { containers: [main({ envFrom: [{ secretRef: { name: 'none' } }] })] },
    counts: { 'Failed: Error: secret "none" not found': 5 },
  },
  {
    name: 'without its image',
    spec: { containers: [main({ imagePullPolicy: 'Never' })] },
    counts: { 'Failed: Error: ErrImageNeverPull': 5 },
  },
  {
    name: 'while pulls fail',
    simulate: { pull: 'fail' },
    counts: {
      'Pulling: Pulling image "app:1"': 3,
      'Failed: Error: ErrImagePull': 3,
      'Failed: Error: ImagePullBackOff': 6,
    },
  },
];

for (const { name, spec = {}, simulate = {}, counts } of repeated)
  test(`a container that waits ${name} is told of again and again`, async (t) => {
    const { run, events, wait } = await setUpNodes(t);
    await run(spec, simulate);
    await wait(59 * seconds);
    const { items } = await events.list();
    for (const [text, count] of Object.entries(counts)) {
      const found = items.find(({ reason, message }) => `${reason}: ${message}` === text);
      assert.equal(found?.['count'], count, text);
    }
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
    const { run, pods, follow, said, wait } = await setUpNodes(t);
    await run(spec, simulate);
    await wait(10 * seconds);
    await pods.delete('p', grace === undefined ? {} : { gracePeriodSeconds: grace });
    await follow(at);
    const texts = await said();
    for (const text of says) assert.ok(texts.includes(text), texts.join('\n'));
  });

const log = { logs: 'one\ntwo', 'exit-code': '1' };
const fallback = main({ terminationMessagePolicy: 'FallbackToLogsOnError' });
/** How a container ends, and the message that it leaves. */
const messages: readonly [
  why: string,
  container: object,
  simulate: Record<string, string>,
  left: string | undefined,
][] = [
  ['nothing of itself', main(), log, undefined],
  ['what it wrote', main(), { 'termination-message': 'done' }, 'done'],
  ['the end of its log when it fails', fallback, log, 'one\ntwo\n'],
  ['nothing of its log when it succeeds', fallback, { ...log, 'exit-code': '0' }, undefined],
  [
    'what it wrote rather than its log',
    fallback,
    { ...log, 'termination-message': 'lost' },
    'lost',
  ],
  [
    'no more than kubelets keep',
    main(),
    { 'termination-message': 'x'.repeat(5_000) },
    'x'.repeat(4_096),
  ],
];

for (const [why, container, simulate, left] of messages)
  test(`a container leaves ${why}`, async (t) => {
    const { run, pods, wait } = await setUpNodes(t);
    await run(
      { containers: [container as ReturnType<typeof main>], restartPolicy: 'Never' },
      simulate,
    );
    await wait(5 * seconds);
    const { containerStatuses: [app] = [] } = (await pods.get('p')).status ?? {};
    assert.equal(app?.state?.terminated?.message, left);
  });

test('a pod that may restart as a whole shows whether it does', async (t) => {
  const { run, pods, wait } = await setUpNodes(t);
  const container = main({
    restartPolicy: 'Never',
    restartPolicyRules: [restartOn('In', 42, 'AllContainers')],
  });
  await run({ containers: [container], restartPolicy: 'Never' }, { 'exit-code': '42,0' });
  const shown = async (ms: number) => {
    await wait(ms);
    const { conditions = [] } = (await pods.get('p')).status ?? {};
    const found = conditions.find(({ type }) => type === 'AllContainersRestarting');
    return [found?.status, found?.reason];
  };
  assert.deepEqual(await shown(500), ['False', undefined]);
  assert.deepEqual(await shown(2 * seconds), ['True', 'RestartAllContainersStarted']);
  assert.deepEqual(await shown(1 * seconds), ['False', undefined]);
  assert.deepEqual(await shown(5 * seconds), ['False', 'PodCompleted']);
});
