import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createTestObjects } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createLimitRanger } from './limit-ranger.ts';

const features = createFeatures();
const range = (name: string, ...limits: object[]): KubeObject => ({
  metadata: { name, namespace: 'shop' },
  spec: { limits },
});
const withRanges = (...ranges: KubeObject[]) =>
  createLimitRanger(createTestObjects(ranges), features);
const withLimits = (...limits: object[]) => withRanges(range('l', ...limits));
const container = (requests?: object, limits?: object, name = 'c') => ({
  name,
  resources: { ...(requests && { requests }), ...(limits && { limits }) },
});
const pod = (...containers: object[]): KubeObject => ({
  metadata: { name: 'a' },
  spec: { containers },
});
const note = ({ object }: { object: KubeObject | undefined }) =>
  object?.metadata.annotations?.['kubernetes.io/limit-ranger'];
const refused = (why: string) => `pods "a" is forbidden: ${why}`;

test('what containers do not say they get', async () => {
  const plugin = withLimits({
    type: 'Container',
    default: { cpu: '1', memory: '1Gi' },
    defaultRequest: { memory: '1Gi', cpu: '100m' },
  });
  const object = {
    metadata: { name: 'a', annotations: { x: 'y' } },
    spec: {
      containers: [
        { name: 'c' },
        container({ cpu: '2' }, { cpu: '2' }, 'd'),
        container({ cpu: '1', memory: '1' }, { cpu: '1', memory: '1' }, 'e'),
      ],
      initContainers: [{ name: 'i' }],
    },
  };
  const attributes = createTestAttributes({ object });
  assert.equal(await admit(plugin, attributes), undefined);
  const all = { requests: { cpu: '100m', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } };
  assert.deepEqual(attributes.object?.['spec'], {
    containers: [
      { name: 'c', resources: all },
      container({ cpu: '2', memory: '1Gi' }, { cpu: '2', memory: '1Gi' }, 'd'),
      container({ cpu: '1', memory: '1' }, { cpu: '1', memory: '1' }, 'e'),
    ],
    initContainers: [{ name: 'i', resources: all }],
  });
  assert.equal(
    note(attributes),
    'LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container ' +
      'c; memory request for container d; memory limit for container d; cpu, memory request for ' +
      'init container i; cpu, memory limit for init container i',
  );
  assert.equal(attributes.object?.metadata.annotations?.['x'], 'y');
});

test('nothing to set leaves the pod as it is', async () => {
  const rows: [plugin: ReturnType<typeof withLimits>, request: TestRequest][] = [
    [withRanges(), { object: pod({ name: 'c' }) }],
    [withLimits({ type: 'Pod', default: { cpu: '1' } }), { object: pod({ name: 'c' }) }],
    [
      withLimits({ type: 'Container', default: { cpu: '1' } }),
      { object: pod({ name: 'c' }), namespace: 'other' },
    ],
    [
      withLimits({ type: 'Container', default: { cpu: '1' } }),
      { object: pod({ name: 'c' }), operation: 'UPDATE' },
    ],
  ];
  for (const [plugin, request] of rows) {
    const attributes = createTestAttributes(request);
    assert.equal(await admit(plugin, attributes), undefined);
    assert.deepEqual(attributes.object, pod({ name: 'c' }));
  }
});

const item = (type: string, bounds: object) => ({ type, ...bounds });
const bounded: [bounds: object, subject: KubeObject, why: string | undefined][] = [
  [{ min: { cpu: '100m' } }, pod(container({ cpu: '100m' })), undefined],
  [
    { min: { cpu: '100m' } },
    pod(container({ cpu: '99m' })),
    'minimum cpu usage per Container is 100m, but request is 99m',
  ],
  [
    { min: { cpu: '100m' } },
    pod(container()),
    'minimum cpu usage per Container is 100m.  No request is specified',
  ],
  [
    { min: { cpu: '100m' } },
    pod(container({ cpu: '1' }, { cpu: '50m' })),
    'minimum cpu usage per Container is 100m, but limit is 50m',
  ],
  [{ max: { cpu: '1' } }, pod(container({ cpu: '1' }, { cpu: '1' })), undefined],
  [
    { max: { cpu: '500m' } },
    pod(container({ cpu: '1' }, { cpu: '2' })),
    'maximum cpu usage per Container is 500m, but limit is 2',
  ],
  [
    { max: { cpu: '500m' } },
    pod(container({ cpu: '1' }, { cpu: '500m' })),
    'maximum cpu usage per Container is 500m, but request is 1',
  ],
  [
    { max: { cpu: '1' } },
    pod(container({ cpu: '1' })),
    'maximum cpu usage per Container is 1.  No limit is specified',
  ],
  [
    { maxLimitRequestRatio: { memory: '2' } },
    pod(container({ memory: '1Gi' }, { memory: '2Gi' })),
    undefined,
  ],
  [
    { maxLimitRequestRatio: { memory: '1500m' } },
    pod(container({ memory: '3Gi' }, { memory: '5Gi' })),
    'memory max limit to request ratio per Container is 1500m, but provided ratio is 1.666667',
  ],
  [
    { maxLimitRequestRatio: { cpu: '2' } },
    pod(container({ cpu: '0' }, { cpu: '1' })),
    'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
  ],
  [
    { maxLimitRequestRatio: { cpu: '2' } },
    pod(container({ cpu: '1' })),
    'cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0',
  ],
  [
    { max: { cpu: '1', memory: '1Gi' } },
    pod(container({}, { cpu: '2', memory: '2Gi' })),
    '[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is ' +
      '1Gi, but limit is 2Gi]',
  ],
  [
    { max: { memory: '9007199254740993' } },
    pod(container({}, { memory: '9007199254740994' })),
    'maximum memory usage per Container is 9007199254740993, but limit is 9007199254740994',
  ],
];

test('containers stay within bounds', async () => {
  for (const [bounds, object, why] of bounded) {
    const plugin = withLimits(item('Container', bounds));
    const message = await admit(plugin, createTestAttributes({ object }));
    assert.equal(message, why && refused(why));
  }
  const init = { metadata: { name: 'a' }, spec: { initContainers: [container({}, { cpu: '2' })] } };
  assert.equal(
    await admit(
      withLimits(item('Container', { max: { cpu: '1' } })),
      createTestAttributes({ object: init }),
    ),
    refused('maximum cpu usage per Container is 1, but limit is 2'),
  );
});

test('pods stay within bounds as a whole', async () => {
  const two = pod(
    container({ cpu: '1' }, { cpu: '1' }),
    container({ cpu: '1' }, { cpu: '1' }, 'd'),
  );
  const rows: [bounds: object, subject: KubeObject, why: string | undefined][] = [
    [{ max: { cpu: '2' } }, two, undefined],
    [{ max: { cpu: '1' } }, two, 'maximum cpu usage per Pod is 1, but limit is 2'],
    [
      { max: { cpu: '1' } },
      pod({ name: 'c' }),
      'maximum cpu usage per Pod is 1.  No limit is specified',
    ],
    [
      { min: { cpu: '1' } },
      pod(container({ cpu: '1m' })),
      'minimum cpu usage per Pod is 1, but request is 1m',
    ],
    [
      { max: { cpu: '1' } },
      { metadata: { name: 'a' }, spec: { containers: [], resources: { limits: { cpu: '3' } } } },
      'maximum cpu usage per Pod is 1, but limit is 3',
    ],
  ];
  for (const [bounds, object, why] of rows) {
    const plugin = withLimits(item('Pod', bounds));
    assert.equal(await admit(plugin, createTestAttributes({ object })), why && refused(why));
  }
});

test('which requests on pods are bounded', async () => {
  const plugin = withLimits(item('Container', { max: { cpu: '1' } }));
  const big = pod(container({}, { cpu: '2' }));
  const dying = { metadata: { name: 'a', deletionTimestamp: '2024-01-01T00:00:00Z' } };
  const refusal = refused('maximum cpu usage per Container is 1, but limit is 2');
  const rows: [request: TestRequest, message: string | undefined][] = [
    [{}, refusal],
    [{ operation: 'UPDATE', oldObject: big }, undefined],
    [{ operation: 'UPDATE', oldObject: big, subresource: 'resize' }, refusal],
    [{ operation: 'UPDATE', oldObject: dying, subresource: 'resize' }, undefined],
    [{ operation: 'UPDATE', oldObject: big, subresource: 'status' }, undefined],
    [{ namespace: 'other' }, undefined],
  ];
  for (const [request, message] of rows)
    assert.equal(await admit(plugin, createTestAttributes({ object: big, ...request })), message);
});

test('claims stay within bounds, created and updated', async () => {
  const plugin = withLimits(
    item('PersistentVolumeClaim', { max: { storage: '1Gi' }, min: { storage: '10Mi' } }),
  );
  const claim = (storage?: string) => ({
    metadata: { name: 'claim' },
    spec: { resources: storage === undefined ? {} : { requests: { storage } } },
  });
  const of = (why: string) => `persistentvolumeclaims "claim" is forbidden: ${why}`;
  const rows: [storage: string | undefined, message: string | undefined][] = [
    ['1Gi', undefined],
    ['3Gi', of('maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 3Gi')],
    ['1Mi', of('minimum storage usage per PersistentVolumeClaim is 10Mi, but request is 1Mi')],
    [
      undefined,
      of(
        '[minimum storage usage per PersistentVolumeClaim is 10Mi.  No request is specified, ' +
          'maximum storage usage per PersistentVolumeClaim is 1Gi.  No request is specified]',
      ),
    ],
  ];
  for (const operation of ['CREATE', 'UPDATE'] as const) {
    for (const [storage, message] of rows) {
      const attributes = createTestAttributes({
        operation,
        resource: 'persistentvolumeclaims',
        object: claim(storage),
        ...(operation === 'UPDATE' && { oldObject: claim('1Gi') }),
      });
      assert.equal(await admit(plugin, attributes), message);
    }
  }
});
