// PodTopologyLabels, PodResizeValidator and NodeDeclaredFeatureValidator: what is asked of a node.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import { createTestObjects } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createNodeDeclaredFeatureValidator } from './node-declared-feature-validator.ts';
import { createPodResizeValidator } from './pod-resize-validator.ts';
import { createPodTopologyLabels } from './pod-topology-labels.ts';

const zone = 'topology.kubernetes.io/zone';
const region = 'topology.kubernetes.io/region';
const node = (name: string, labels: Record<string, string>, status: object = {}): KubeObject => ({
  metadata: { name, labels },
  status,
});

test('PodTopologyLabels', async () => {
  const nodes = createTestObjects([
    node('both', { [zone]: 'a', [region]: 'r', other: 'x' }),
    node('none', { other: 'x', 'topology.k8s.io/zone': 'old' }),
  ]);
  const binding = (name: string, kind = 'Node', labels?: Record<string, string>): TestRequest => ({
    subresource: 'binding',
    kind: 'Binding',
    object: { metadata: { name: 'web', ...(labels && { labels }) }, target: { kind, name } },
  });
  const pod = (nodeName?: string, labels?: Record<string, string>): TestRequest => ({
    object: { metadata: { name: 'web', ...(labels && { labels }) }, spec: { nodeName } },
  });
  const rows: [request: TestRequest, labels: object | undefined][] = [
    [binding('both'), { [zone]: 'a', [region]: 'r' }],
    [
      binding('both', 'Node', { [zone]: 'lie', app: 'w' }),
      { [zone]: 'a', [region]: 'r', app: 'w' },
    ],
    [binding('both', 'Machine'), undefined],
    [binding('none'), undefined],
    [binding('missing'), undefined],
    [{ subresource: 'binding', kind: 'Binding', object: { metadata: {} } }, undefined],
    [pod('both'), { [zone]: 'a', [region]: 'r' }],
    [pod('both', { [region]: 'lie' }), { [zone]: 'a', [region]: 'r' }],
    [pod(), undefined],
    [{ ...pod('both'), subresource: 'eviction' }, undefined],
  ];
  const plugin = createPodTopologyLabels(nodes, createFeatures());
  for (const [request, labels] of rows) {
    const attributes = createTestAttributes(request);
    assert.equal(await admit(plugin, attributes), undefined);
    assert.deepEqual(attributes.object?.metadata.labels, labels);
  }
  const off = createPodTopologyLabels(nodes, createFeatures({ emulatedVersion: '1.34' }));
  assert.ok(!off.handles('CREATE'), 'the gate is off before 1.35');
  assert.ok(!plugin.handles('UPDATE'));
});

const pod = (generation: number, cpu: string, more: object = {}): KubeObject => ({
  metadata: { name: 'web', generation },
  spec: {
    nodeName: 'n',
    containers: [{ name: 'c', resources: { requests: { cpu, memory: '1Gi' } } }],
    ...more,
  },
  status: { qosClass: 'Guaranteed' },
});
const refused = (why: string) => `pods "web" is forbidden: ${why}`;

test('PodResizeValidator', async () => {
  const allocatable = { cpu: '2', memory: '2Gi' };
  const nodes = createTestObjects([
    node('n', {}, { allocatable }),
    node('linux', { 'kubernetes.io/os': 'linux' }, { allocatable }),
    node('windows', { 'kubernetes.io/os': 'windows' }, { allocatable }),
  ]);
  const resize = (object: KubeObject): TestRequest => ({
    operation: 'UPDATE',
    subresource: 'resize',
    object,
    oldObject: pod(1, '1'),
  });
  const tooMuch = (list: string) =>
    refused(`node didn't have enough allocatable resources: ${list}`);
  const cpu = 'cpu, requested: 2001, allocatable: 2000';
  const big = [{ name: 'c', resources: { requests: { cpu: '2001m', memory: '3Gi' } } }];
  const rows: [request: TestRequest, message: string | undefined, cause?: string][] = [
    [resize(pod(2, '2')), undefined],
    [resize(pod(2, '2001m')), tooMuch(cpu), 'NodeCapacity'],
    [
      resize(pod(2, '1', { containers: big })),
      tooMuch(`${cpu}; memory, requested: 3221225472, allocatable: 2147483648`),
      'NodeCapacity',
    ],
    [resize(pod(1, '9')), undefined],
    [resize(pod(2, '9', { nodeName: '' })), undefined],
    [resize(pod(2, '1', { nodeName: 'linux' })), undefined],
    [
      resize(pod(2, '1', { nodeName: 'windows' })),
      refused('pod resize is only supported on linux nodes, node "windows" is "windows"'),
      'UnsupportedPlatform',
    ],
    [resize(pod(2, '1', { nodeName: 'gone' })), refused('node "gone" not found')],
    [{ ...resize(pod(2, '9')), subresource: '' }, undefined],
  ];
  const plugin = createPodResizeValidator(nodes, createFeatures());
  for (const [request, message, cause] of rows) {
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
    if (cause === undefined) continue;
    assert.throws(
      () => plugin.validate?.(createTestAttributes(request)),
      (error) => isStatusError(error) && error.status.details?.causes?.[0]?.reason === cause,
    );
  }
});

test('NodeDeclaredFeatureValidator', async () => {
  const nodes = createTestObjects([
    node('n', {}),
    node(
      'able',
      {},
      {
        declaredFeatures: ['GuaranteedQoSPodCPUResize', 'InPlacePodLevelResourcesVerticalScaling'],
      },
    ),
  ]);
  const update = (object: KubeObject, oldObject = pod(1, '1')): TestRequest => ({
    operation: 'UPDATE',
    subresource: 'resize',
    object,
    oldObject,
  });
  const needs = (list: string) =>
    refused(`pod update requires features ${list} which are not available on node "n"`);
  const podLevel = { resources: { requests: { cpu: '3' } } };
  const burstable = { ...pod(1, '1'), status: { qosClass: 'Burstable' } };
  const rows: [request: TestRequest, message: string | undefined][] = [
    [update(pod(2, '1')), undefined],
    [update(pod(2, '2')), needs('GuaranteedQoSPodCPUResize')],
    [update(pod(2, '2'), burstable), undefined],
    [update(pod(1, '2')), undefined],
    [update(pod(2, '1', podLevel)), needs('InPlacePodLevelResourcesVerticalScaling')],
    [
      update(pod(2, '2', podLevel)),
      needs('GuaranteedQoSPodCPUResize, InPlacePodLevelResourcesVerticalScaling'),
    ],
    [update(pod(2, '2', { nodeName: 'able' })), undefined],
    [update(pod(2, '2', { nodeName: 'gone' })), refused('node "gone" not found')],
    [update(pod(2, '2', { nodeName: '' })), undefined],
    [{ ...update(pod(2, '2')), subresource: '' }, needs('GuaranteedQoSPodCPUResize')],
    [{ ...update(pod(2, '2')), subresource: 'status' }, undefined],
  ];
  const plugin = createNodeDeclaredFeatureValidator(nodes, createFeatures());
  for (const [request, message] of rows)
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
  const before = createFeatures({ emulatedVersion: '1.35' });
  assert.ok(!createNodeDeclaredFeatureValidator(nodes, before).handles('UPDATE'));
});
