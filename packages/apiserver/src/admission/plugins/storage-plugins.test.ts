// StorageObjectInUseProtection and PersistentVolumeClaimResize.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestObjects } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import { admit, createTestAttributes } from '../testing.ts';
import { createPersistentVolumeClaimResize } from './persistent-volume-claim-resize.ts';
import { createStorageObjectInUseProtection } from './storage-object-in-use-protection.ts';

test('StorageObjectInUseProtection', async () => {
  const attributesClass = ['storage.k8s.io', 'volumeattributesclasses'] as const;
  const rows: [
    about: readonly [string, string],
    minor: number,
    finalizers: string[] | undefined,
  ][] = [
    [['', 'persistentvolumeclaims'], 36, ['kubernetes.io/pvc-protection']],
    [['', 'persistentvolumes'], 36, ['kubernetes.io/pv-protection']],
    [attributesClass, 36, ['kubernetes.io/vac-protection']],
    [attributesClass, 33, undefined],
    [['', 'pods'], 36, undefined],
  ];
  for (const [[group, resource], minor, expected] of rows) {
    const features = createFeatures({ emulatedVersion: `1.${minor}` });
    const plugin = createStorageObjectInUseProtection(features);
    const attributes = createTestAttributes({ group, resource, object: { metadata: {} } });
    assert.equal(await admit(plugin, attributes), undefined);
    assert.deepEqual(attributes.object?.metadata.finalizers, expected);
    await admit(plugin, attributes);
    assert.deepEqual(attributes.object?.metadata.finalizers, expected, 'once is enough');
  }
});

test('PersistentVolumeClaimResize', async () => {
  const storageClass = (name: string, allowVolumeExpansion?: boolean) => ({
    metadata: { name },
    allowVolumeExpansion,
  });
  const plugin = createPersistentVolumeClaimResize(
    createTestObjects([
      storageClass('grows', true),
      storageClass('fixed', false),
      storageClass('silent'),
    ]),
  );
  const claim = (storage: string, storageClassName: string, phase = 'Bound') => ({
    metadata: { name: 'c' },
    spec: { storageClassName, resources: { requests: { storage } } },
    status: { phase },
  });
  const unbound =
    'persistentvolumeclaims "c" is forbidden: Only bound persistent volume claims can be expanded';
  const unsupported =
    'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and ' +
    'the storageclass that provisions the pvc must support resize';
  const rows: [before: object, after: object, message: string | undefined, subresource?: string][] =
    [
      [claim('1Gi', 'grows'), claim('2Gi', 'grows'), undefined],
      [claim('1Gi', 'fixed'), claim('1024Mi', 'fixed'), undefined],
      [claim('2Gi', 'fixed'), claim('1Gi', 'fixed'), undefined],
      [claim('1Gi', 'fixed'), claim('2Gi', 'fixed'), unsupported],
      [claim('1Gi', 'silent'), claim('2Gi', 'silent'), unsupported],
      [claim('1Gi', 'missing'), claim('2Gi', 'missing'), unsupported],
      [claim('1Gi', ''), claim('2Gi', ''), unsupported],
      [claim('1Gi', 'fixed'), claim('2Gi', 'grows'), unsupported],
      [claim('1Gi', 'grows', 'Pending'), claim('2Gi', 'grows'), unbound],
      [claim('1Gi', 'fixed'), claim('2Gi', 'fixed'), undefined, 'status'],
    ];
  for (const [oldObject, object, message, subresource = ''] of rows) {
    const attributes = createTestAttributes({
      operation: 'UPDATE',
      resource: 'persistentvolumeclaims',
      subresource,
      object: object as { metadata: object },
      oldObject: oldObject as { metadata: object },
    });
    assert.equal(await admit(plugin, attributes), message);
  }
});
