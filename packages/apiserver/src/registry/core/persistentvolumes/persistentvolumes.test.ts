import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCreate, runUpdate } from '../../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../../testing/strategy-tables.ts';
import { persistentVolumeStrategy as strategy } from './strategy.ts';

function volume(spec: object, status: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'v', resourceVersion: '1' },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, ...spec },
    status,
  };
}
const nfs = { server: 's', path: '/p' };
const csi = (more: object = {}) => ({ driver: 'example.com', volumeHandle: 'h', ...more });

testCreates(strategy, [
  ['NFS', volume({ nfs }), []],
  ['CSI', volume({ csi: csi() }), []],
  ['no source', volume({}), ['spec: Required value: must specify a volume type']],
  [
    'two sources',
    volume({ nfs, csi: csi() }),
    ['spec.csi: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'another size',
    volume({ nfs, capacity: { cpu: '1' } }),
    ['spec.capacity: Unsupported value: {"cpu":"1"}: supported values: "storage"'],
  ],
  [
    'less than nothing',
    volume({ nfs, capacity: { storage: '-1' } }),
    [
      'spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
      'spec.capacity[storage]: Invalid value: "-1": must be greater than zero',
    ],
  ],
  [
    'a disk without a name',
    volume({ gcePersistentDisk: { pdName: '' } }),
    ['spec.persistentDisk.pdName: Required value'],
  ],
  [
    'a local volume that may be anywhere',
    volume({ local: { path: '/mnt' } }),
    ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
  ],
  [
    'the root of a node to be wiped',
    volume({
      hostPath: { path: '/a/..' },
      persistentVolumeReclaimPolicy: 'Recycle',
    }),
    [
      'spec.hostPath.path: Invalid value: "/a/..": must not contain \'..\'',
      "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
    ],
  ],
  [
    'attributes of a volume without a driver',
    volume({ nfs, volumeAttributesClassName: 'fast' }),
    ['spec.csi: Required value: has to be specified when using volumeAttributesClassName'],
  ],
  [
    'a secret of no namespace',
    volume({ csi: csi({ nodePublishSecretRef: { name: 's' } }) }),
    ['spec.csi.nodePublishSecretRef.namespace: Required value'],
  ],
]);

const secret = { name: 's', namespace: 'n' };
testUpdates(strategy, [
  ['more', volume({ nfs, capacity: { storage: '2Gi' } }), volume({ nfs }), []],
  [
    'a secret to grow with',
    volume({ csi: csi({ controllerExpandSecretRef: secret }) }),
    volume({ csi: csi() }),
    [],
  ],
  [
    'another mode',
    volume({ nfs, volumeMode: 'Block' }),
    volume({ nfs }),
    ['volumeMode: Invalid value: "Block": field is immutable'],
  ],
]);

test('another source is refused, and the answer shows what differs', () => {
  const other = volume({ nfs: { ...nfs, server: 't' } });
  const { errors } = runUpdate(strategy, [other, volume({ nfs })]);
  assert.equal(errors.length, 1);
  assert.match(
    errors[0] ?? '',
    /^spec\.persistentvolumesource: Forbidden: spec\.persistentvolumesource is immutable after creation\n/,
  );
  assert.match(errors[0] ?? '', /-\s+"Server": "s",\n\+\s+"Server": "t",/);
});

test('a new volume is pending, is kept when its claim goes, and knows since when', () => {
  const { object } = runCreate(strategy, volume({ nfs }, { phase: 'Bound' }));
  assert.deepEqual(object['status'], {
    phase: 'Pending',
    lastPhaseTransitionTime: '2024-01-01T00:00:00Z',
  });
  const spec = object['spec'] as { persistentVolumeReclaimPolicy: string; volumeMode: string };
  assert.equal(spec.persistentVolumeReclaimPolicy, 'Retain');
  assert.equal(spec.volumeMode, 'Filesystem');
});

test('the time of a transition is only set when the phase changes', () => {
  const old = volume(
    { nfs },
    { phase: 'Available', lastPhaseTransitionTime: '2023-01-01T00:00:00Z' },
  );
  const moved = { ...old, status: { ...old.status, phase: 'Bound' } };
  const kept = runUpdate(strategy, [old, old], 'status').object['status'];
  assert.deepEqual(kept, old.status);
  const now = runUpdate(strategy, [moved, old], 'status').object['status'];
  assert.deepEqual(now, { phase: 'Bound', lastPhaseTransitionTime: '2024-01-01T00:00:00Z' });
});
