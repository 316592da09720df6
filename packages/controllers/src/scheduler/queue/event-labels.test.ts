import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asking, testNode, testPod } from '../testing/scheduling-cluster.ts';
import type { ClusterEvent, NodeFact } from './cluster-event.ts';
import { labelOf, labelOfUpdate } from './event-labels.ts';

const node = testNode('n');
const changedNode = (...changed: NodeFact[]): ClusterEvent => ({
  kind: 'node',
  node,
  old: node,
  changed: new Set(changed),
});
const pod = testPod('p', { ...asking({ cpu: '2' }), nodeName: 'n' });
const changedPod = (spec: object, labels = {}): ClusterEvent => ({
  kind: 'placed-pod',
  pod: testPod('p', { ...asking({ cpu: '2' }), nodeName: 'n', ...spec }, labels),
  old: pod,
});
const object = { metadata: { name: 'x' } };

const rows: readonly (readonly [ClusterEvent, string])[] = [
  [{ kind: 'node', node, changed: new Set(['labels']) }, 'NodeAdd'],
  [{ kind: 'node-deleted', node }, 'NodeDelete'],
  [changedNode('unschedulable'), 'NodeUpdateNodeTaint'],
  [changedNode('taints'), 'NodeUpdateNodeTaint'],
  [changedNode('allocatable'), 'NodeUpdateNodeAllocatable'],
  [changedNode('labels'), 'NodeUpdateNodeLabel'],
  [changedNode('labels', 'allocatable'), 'NodeUpdateNodeAllocatable'],
  [changedNode('annotations', 'conditions'), 'NodeUpdateNodeCondition'],
  [changedNode('annotations'), 'NodeUpdateNodeAnnotation'],
  [changedNode('declaredFeatures'), 'NodeUpdateNodeDeclaredFeature'],
  [{ kind: 'placed-pod', pod }, 'AssignedPodAdd'],
  [changedPod({}, { app: 'web' }), 'AssignedPodUpdatePodLabel'],
  [changedPod(asking({ cpu: '1' })), 'AssignedPodUpdatePodScaleDown'],
  [changedPod(asking({ cpu: '3' })), 'AssignedPodUpdate'],
  [changedPod({ tolerations: [{ operator: 'Exists' }] }), 'AssignedPodUpdatePodToleration'],
  [{ kind: 'pod-deleted', pod }, 'AssignedPodDelete'],
  [{ kind: 'waiting-pod', pod }, 'UnscheduledPodAdd'],
  [
    { kind: 'csi-node', csiNode: { metadata: {}, spec: { drivers: [] } } },
    'storage.k8s.io/CSINodeUpdate',
  ],
  [
    { kind: 'csi-node', csiNode: { metadata: {}, spec: { drivers: [] } }, isNew: true },
    'storage.k8s.io/CSINodeAdd',
  ],
  [{ kind: 'object', resource: 'persistentvolumes', object, isNew: true }, 'PersistentVolumeAdd'],
  [{ kind: 'object', resource: 'resourceclaims', object }, 'resource.k8s.io/ResourceClaimUpdate'],
  [
    { kind: 'object', resource: 'storageclasses', object, isDeletion: true },
    'storage.k8s.io/StorageClassDelete',
  ],
  [{ kind: 'any' }, 'ForceActivate'],
];

for (const [event, label] of rows)
  test(`an event is called ${label}`, () => {
    assert.equal(labelOf(event), label);
  });

test('updates of pods that wait say what has changed', () => {
  const gated = testPod('p', { schedulingGates: [{ name: 'a' }, { name: 'b' }] });
  const claims = { resourceClaimStatuses: [{ name: 'r', resourceClaimName: 'c' }] };
  const updates: [now: object, label: string][] = [
    [testPod('p'), 'UnscheduledPodUpdatePodSchedulingGatesEliminated'],
    [testPod('p', { schedulingGates: [{ name: 'a' }] }), 'UnscheduledPodUpdate'],
    [{ ...gated, status: claims }, 'UnscheduledPodUpdatePodGeneratedResourceClaim'],
    [testPod('p', {}, { app: 'web' }), 'UnscheduledPodUpdatePodLabel'],
  ];
  for (const [now, label] of updates)
    assert.equal(labelOfUpdate(now as typeof gated, gated), label);
});
