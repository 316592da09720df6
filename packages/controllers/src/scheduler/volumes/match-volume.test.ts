import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { createNodeState } from '../snapshot/node-state.ts';
import { testNode } from '../testing/scheduling-cluster.ts';
import { matchVolume } from './match-volume.ts';

const node = createNodeState(testNode('a', { labels: { zone: 'x' } }));
const only = (zone: string) => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }],
    },
  },
});
const volume = (
  name: string,
  storage: string,
  { spec = {}, phase = 'Available', metadata = {} } = {},
): PersistentVolume => ({
  metadata: { name, ...metadata },
  spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], storageClassName: 's', ...spec },
  status: { phase },
});
const claim = (spec: object = {}, metadata: object = {}): PersistentVolumeClaim => ({
  metadata: { name: 'c', namespace: 'n', uid: 'u', ...metadata },
  spec: {
    storageClassName: 's',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '5Gi' } },
    ...spec,
  },
});
const kept = { claimRef: { namespace: 'n', name: 'c' } };
const oldClass = { annotations: { 'volume.beta.kubernetes.io/storage-class': 's' } };

const rows: readonly (readonly [
  what: string,
  volumes: readonly PersistentVolume[],
  expected: string | undefined,
  claim?: PersistentVolumeClaim,
])[] = [
  [
    'the smallest that is large enough',
    [volume('l', '9Gi'), volume('m', '5Gi'), volume('s', '4Gi')],
    'm',
  ],
  ['none that is not free', [volume('v', '5Gi', { phase: 'Bound' })], undefined],
  [
    'none that is going',
    [volume('v', '5Gi', { metadata: { deletionTimestamp: 'now' } })],
    undefined,
  ],
  ['none that this node does not reach', [volume('v', '5Gi', { spec: only('y') })], undefined],
  ['one that it reaches', [volume('v', '5Gi', { spec: only('x') })], 'v'],
  ['none of another class', [volume('v', '5Gi', { spec: { storageClassName: 'o' } })], undefined],
  ['none of another mode', [volume('v', '5Gi', { spec: { volumeMode: 'Block' } })], undefined],
  [
    'none that offers less',
    [volume('v', '5Gi', { spec: { accessModes: ['ReadOnlyMany'] } })],
    undefined,
  ],
  [
    'none that is not selected',
    [volume('v', '5Gi')],
    undefined,
    claim({ selector: { matchLabels: { a: 'b' } } }),
  ],
  ['none that is taken', [volume('taken', '5Gi')], undefined],
  [
    'none of another attributes class',
    [volume('v', '5Gi')],
    undefined,
    claim({ volumeAttributesClassName: 'fast' }),
  ],
  [
    'a class that is an annotation',
    [volume('v', '5Gi')],
    'v',
    claim({ storageClassName: undefined }, oldClass),
  ],
  [
    'what is kept for the claim, though it is larger',
    [volume('l', '9Gi', { spec: kept }), volume('m', '5Gi')],
    'l',
  ],
  [
    'what is kept for it, whatever its labels and access modes',
    [volume('k', '9Gi', { spec: { ...kept, accessModes: ['ReadOnlyMany'] }, phase: 'Pending' })],
    'k',
    claim({ selector: { matchLabels: { a: 'b' } } }),
  ],
  [
    'nothing else when what is kept is out of reach',
    [volume('k', '9Gi', { spec: { ...kept, ...only('y') } }), volume('m', '5Gi')],
    undefined,
  ],
  [
    'nothing that is kept for a claim of that name that is gone',
    [volume('k', '9Gi', { spec: { claimRef: { ...kept.claimRef, uid: 'old' } } })],
    undefined,
  ],
];

for (const [what, volumes, expected, wanting = claim()] of rows) {
  test(`a claim gets ${what}`, () => {
    const found = matchVolume(volumes, wanting, { node, isTaken: (name) => name === 'taken' });
    assert.equal(found?.metadata.name, expected);
  });
}
