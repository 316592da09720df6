import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { matchVolume, mismatch } from './match-volume.ts';

type VolumeSpec = NonNullable<PersistentVolume['spec']>;
const volume = (
  name: string,
  spec: Partial<VolumeSpec> = {},
  more: object = {},
): PersistentVolume => ({
  metadata: { name, labels: { name } },
  spec: {
    capacity: { storage: '5Gi' },
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'c',
    ...spec,
  },
  status: { phase: 'Available' },
  ...more,
});
const claim = (spec: PersistentVolumeClaim['spec'] = {}): PersistentVolumeClaim => ({
  metadata: { namespace: 'default', name: 'data', uid: 'u' },
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'c',
    resources: { requests: { storage: '1Gi' } },
    ...spec,
  },
});
const kept = { claimRef: { namespace: 'default', name: 'data' } };

test('the smallest volume that fits', () => {
  const sizes = ['50Gi', '2Gi', '500Mi'].map((storage) =>
    volume(storage, { capacity: { storage } }),
  );
  const rows: [
    what: string,
    volumes: PersistentVolume[],
    claim: PersistentVolumeClaim,
    found?: string,
  ][] = [
    ['smallest', sizes, claim(), '2Gi'],
    ['too small', sizes.slice(2), claim()],
    ['class', [volume('a', { storageClassName: 'd' })], claim()],
    ['no class', [volume('a', { storageClassName: '' })], claim({ storageClassName: '' }), 'a'],
    ['mode', [volume('a')], claim({ accessModes: ['ReadWriteMany'] })],
    [
      'both modes',
      [volume('a', { accessModes: ['ReadWriteOnce', 'ReadWriteMany'] })],
      claim({ accessModes: ['ReadWriteMany'] }),
      'a',
    ],
    [
      'fewer modes first',
      [
        volume('a', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }),
        volume('b', { capacity: { storage: '9Gi' } }),
      ],
      claim(),
      'b',
    ],
    ['block', [volume('a', { volumeMode: 'Block' })], claim()],
    [
      'block for block',
      [volume('a', { volumeMode: 'Block' })],
      claim({ volumeMode: 'Block' }),
      'a',
    ],
    [
      'selector',
      [volume('a'), volume('b')],
      claim({ selector: { matchLabels: { name: 'b' } } }),
      'b',
    ],
    ['kept for it', [volume('a'), volume('b', kept)], claim(), 'b'],
    ['kept, of another class', [volume('a', { ...kept, storageClassName: 'd' })], claim(), 'a'],
    [
      'kept and too small',
      [volume('a'), volume('b', { ...kept, capacity: { storage: '1Mi' } })],
      claim(),
      'a',
    ],
    ['kept and of another mode', [volume('a', { ...kept, volumeMode: 'Block' })], claim()],
    [
      'kept with modes that others lack',
      [volume('a'), volume('b', { ...kept, accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] })],
      claim(),
      'a',
    ],
    [
      'kept for another',
      [volume('a', { claimRef: { namespace: 'default', name: 'other' } })],
      claim(),
    ],
    [
      'kept for one of that name before',
      [volume('a', { claimRef: { ...kept.claimRef, uid: 'old' } })],
      claim(),
    ],
    ['not available', [volume('a', {}, { status: { phase: 'Released' } })], claim()],
    ['going', [volume('a', {}, { metadata: { name: 'a', deletionTimestamp: 'now' } })], claim()],
    ['attributes', [volume('a', { volumeAttributesClassName: 'fast' })], claim()],
    ['none', [], claim()],
  ];
  for (const [what, volumes, wanted, found] of rows)
    assert.equal(matchVolume(wanted, volumes, { isDelayed: false })?.metadata.name, found, what);
  assert.equal(matchVolume(claim(), sizes, { isDelayed: true }), undefined);
  assert.equal(matchVolume(claim(), [volume('b', kept)], { isDelayed: true })?.metadata.name, 'b');
});

test('why a volume that a claim names is not for it', () => {
  const rows: [PersistentVolume, string | undefined][] = [
    [volume('a'), undefined],
    [volume('a', { capacity: { storage: '1Mi' } }), 'requested PV is too small'],
    [volume('a', { storageClassName: 'x' }), 'storageClassName does not match'],
    [volume('a', { volumeMode: 'Block' }), 'incompatible volumeMode'],
    [volume('a', { accessModes: ['ReadOnlyMany'] }), 'incompatible accessMode'],
    [volume('a', { volumeAttributesClassName: 'x' }), 'volumeAttributesClassName does not match'],
    [
      volume('a', {}, { metadata: { name: 'a', deletionTimestamp: 'now' } }),
      'the volume is marked for deletion "a"',
    ],
  ];
  for (const [given, problem] of rows) assert.equal(mismatch(given, claim()), problem);
});
