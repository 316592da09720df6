import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStatus, Pod, PodSpec, PodStatus } from '@keelson/apimachinery/types/core.v1';
import { createImageStore } from './node-images.ts';
import { noNodeRules } from './node-rules.ts';
import { createPodRecord, type PodRecord } from './pod-record.ts';
import { podStatusOf } from './pod-status.ts';

const startedAt = '2026-01-01T00:00:00Z';
const running = { running: { startedAt } };
const ended = { terminated: { exitCode: 3, reason: 'Error', startedAt, finishedAt: startedAt } };

const statusOf = (name: string, more: Partial<ContainerStatus>): ContainerStatus => ({
  name,
  image: 'app:1',
  imageID: '',
  ready: true,
  restartCount: 0,
  ...more,
});

const everything = { hasResize: true, hasMounts: true, hasUser: true };
const nothing = { hasResize: false, hasMounts: false, hasUser: false };

interface Known {
  readonly spec?: Partial<PodSpec>;
  readonly status?: PodStatus;
  readonly gates?: typeof everything;
}

function show({ spec, status, gates = everything }: Known, prepare?: (record: PodRecord) => void) {
  const pod: Pod = {
    metadata: { uid: 'u', generation: 2 },
    spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec },
    ...(status && { status }),
  };
  const record = createPodRecord(pod, { rules: noNodeRules, now: 0, podIp: '10.0.0.1' });
  record.isSetUp = true;
  prepare?.(record);
  const settings = { hostIp: '10.9.9.9', images: createImageStore(), hasReadyToStart: true };
  return podStatusOf(record, 0, { ...settings, hasObservedGeneration: true, ...gates });
}

test('containers are listed by name, init containers in their order', () => {
  const named = (...names: readonly string[]) => names.map((name) => ({ name, image: 'app:1' }));
  const { containerStatuses = [], initContainerStatuses = [] } = show({
    spec: { containers: named('web', 'agent'), initContainers: named('two', 'one') },
  });
  assert.deepEqual(
    [containerStatuses, initContainerStatuses].map((list) => list.map(({ name }) => name)),
    [
      ['agent', 'web'],
      ['two', 'one'],
    ],
  );
});

const resources = { requests: { cpu: '1' }, limits: { cpu: '2' } };
const app = (more: object = {}) => ({ containers: [{ name: 'app', image: 'app:1', ...more }] });
const root = { linux: { uid: 0, gid: 0, supplementalGroups: [0] } };
const full = {
  image: 'docker.io/library/app:1',
  imageID: /^docker\.io\/library\/app@sha256:[0-9a-f]{64}$/,
};

/** What of the status of its first container must be as said; undefined: must not be there. */
const containers: readonly [
  why: string,
  known: Known,
  fields: Readonly<Record<string, unknown>>,
][] = [
  [
    'that was never there is as the pod says',
    { spec: app({ resources }) },
    {
      image: 'app:1',
      imageID: '',
      containerID: undefined,
      resources: undefined,
      allocatedResources: undefined,
      user: undefined,
      started: false,
      state: { waiting: { reason: 'ContainerCreating' } },
    },
  ],
  [
    'that runs is as the runtime says',
    {
      spec: app({ resources }),
      status: { containerStatuses: [statusOf('app', { state: running, started: true })] },
    },
    { ...full, resources, allocatedResources: { cpu: '1' }, user: root, started: true },
  ],
  [
    'that has ended still has its resources',
    {
      spec: app({ resources }),
      status: { containerStatuses: [statusOf('app', { state: ended })] },
    },
    { ...full, resources, allocatedResources: { cpu: '1' }, user: root, started: false },
  ],
  [
    'without resources has none',
    { status: { containerStatuses: [statusOf('app', { state: running })] } },
    { resources: {}, allocatedResources: undefined },
  ],
  [
    'shows nothing that the release does not know',
    {
      gates: nothing,
      spec: app({ resources, volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      status: { containerStatuses: [statusOf('app', { state: running })] },
    },
    {
      resources: undefined,
      allocatedResources: undefined,
      user: undefined,
      volumeMounts: undefined,
    },
  ],
  [
    'runs as whom it is told to, or else as whom its pod is told to',
    {
      spec: {
        ...app({ securityContext: { runAsUser: 7 } }),
        securityContext: { runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4, 2] },
      },
      status: { containerStatuses: [statusOf('app', { state: running })] },
    },
    { user: { linux: { uid: 7, gid: 2, supplementalGroups: [2, 3, 4] } } },
  ],
  [
    'has its mounts before it is there',
    {
      spec: app({
        volumeMounts: [
          { name: 'a', mountPath: '/a' },
          { name: 'b', mountPath: '/b', readOnly: true },
          { name: 'c', mountPath: '/c', readOnly: true, recursiveReadOnly: 'IfPossible' },
        ],
      }),
    },
    {
      volumeMounts: [
        { name: 'a', mountPath: '/a' },
        { name: 'b', mountPath: '/b', readOnly: true, recursiveReadOnly: 'Disabled' },
        { name: 'c', mountPath: '/c', readOnly: true, recursiveReadOnly: 'Enabled' },
      ],
    },
  ],
];

for (const [why, known, fields] of containers)
  test(`a container ${why}`, () => {
    const shown = show(known).containerStatuses?.[0] as unknown as Record<string, unknown>;
    for (const [field, wanted] of Object.entries(fields)) {
      if (wanted instanceof RegExp) assert.match(String(shown[field]), wanted);
      else assert.deepEqual(shown[field], wanted, field);
    }
  });

test('of ephemeral containers nobody says that they are ready or have started', () => {
  const ephemeral = { name: 'debug', image: 'tools:1' };
  const { ephemeralContainerStatuses: [shown] = [] } = show({
    spec: { ephemeralContainers: [ephemeral] },
    status: { ephemeralContainerStatuses: [statusOf('debug', { state: running, started: true })] },
  });
  assert.equal(shown?.ready, false);
  assert.equal(shown?.started, undefined);
  assert.notEqual(shown?.state?.running, undefined);
});

const two = [
  { name: 'app', image: 'app:1' },
  { name: 'other', image: 'app:1' },
];
const phases: readonly [why: string, known: Known, phase: string][] = [
  ['nothing runs', {}, 'Pending'],
  [
    'one of two has never run',
    {
      spec: { containers: two },
      status: { containerStatuses: [statusOf('app', { state: running })] },
    },
    'Pending',
  ],
  [
    'one runs and one is to run again',
    {
      spec: { containers: two },
      status: {
        containerStatuses: [
          statusOf('app', { state: running }),
          statusOf('other', { state: ended }),
        ],
      },
    },
    'Running',
  ],
];

for (const [why, known, phase] of phases)
  test(`a pod is ${phase} when ${why}`, () => assert.equal(show(known).phase, phase));

test('of a pod that the node refused it says why, and nothing else', () => {
  const refusal = { reason: 'OutOfcpu', message: 'Pod was rejected: no' };
  assert.deepEqual(
    show({}, (record) => void (record.refusal = refusal)),
    {
      observedGeneration: 2,
      phase: 'Failed',
      conditions: [],
      ...refusal,
      startTime: '1970-01-01T00:00:00Z',
    },
  );
});
