// DefaultStorageClass and DefaultIngressClass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createTestObjects } from '../../authentication/testing.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createDefaultIngressClass } from './default-ingress-class.ts';
import { createDefaultStorageClass } from './default-storage-class.ts';

const storageKey = 'storageclass.kubernetes.io/is-default-class';
const oldStorageKey = 'storageclass.beta.kubernetes.io/is-default-class';
const ingressKey = 'ingressclass.kubernetes.io/is-default-class';
const made = (name: string, creationTimestamp: string, annotations: Record<string, string>) => ({
  metadata: { name, creationTimestamp, annotations },
});

test('DefaultStorageClass takes the newest default, then the first by name', async () => {
  const old = made('old', '2024-01-01T00:00:00Z', { [oldStorageKey]: 'true' });
  const newB = made('b', '2024-02-01T00:00:00Z', { [storageKey]: 'true' });
  const newA = made('a', '2024-02-01T00:00:00Z', { [storageKey]: 'true' });
  const notDefault = made('z', '2025-01-01T00:00:00Z', { [storageKey]: 'false' });
  const rows: [classes: KubeObject[], expected: string | undefined][] = [
    [[], undefined],
    [[notDefault], undefined],
    [[old, notDefault], 'old'],
    [[old, newB], 'b'],
    [[newB, old, newA], 'a'],
  ];
  for (const [classes, expected] of rows) {
    const object = { metadata: { name: 'c' }, spec: {} };
    const attributes = createTestAttributes({ resource: 'persistentvolumeclaims', object });
    await admit(createDefaultStorageClass(createTestObjects(classes)), attributes);
    const spec = attributes.object?.['spec'] as { storageClassName?: string };
    assert.equal(spec.storageClassName, expected);
  }
});

test('a claim that names a class keeps it', async () => {
  const plugin = createDefaultStorageClass(
    createTestObjects([made('std', '', { [storageKey]: 'true' })]),
  );
  const annotations = { 'volume.beta.kubernetes.io/storage-class': '' };
  const rows: [request: TestRequest, expected: string | undefined][] = [
    [{ object: { metadata: {}, spec: { storageClassName: 'own' } } }, 'own'],
    [{ object: { metadata: {}, spec: { storageClassName: '' } } }, ''],
    [{ object: { metadata: { annotations }, spec: {} } }, undefined],
    [{ operation: 'UPDATE', object: { metadata: {}, spec: {} } }, undefined],
    [{ subresource: 'status', object: { metadata: {}, spec: {} } }, undefined],
    [{ object: { metadata: {} } }, 'std'],
  ];
  for (const [request, expected] of rows) {
    const attributes = createTestAttributes({ resource: 'persistentvolumeclaims', ...request });
    assert.equal(await admit(plugin, attributes), undefined);
    const spec = attributes.object?.['spec'] as { storageClassName?: string };
    assert.equal(spec.storageClassName, expected);
  }
});

test('DefaultIngressClass', async () => {
  const plugin = createDefaultIngressClass(
    createTestObjects([
      made('old', '2024-01-01T00:00:00Z', { [ingressKey]: 'true' }),
      made('new', '2024-03-01T00:00:00Z', { [ingressKey]: 'true' }),
    ]),
  );
  const annotations = { 'kubernetes.io/ingress.class': 'nginx' };
  const rows: [object: KubeObject, expected: string | undefined][] = [
    [{ metadata: {}, spec: {} }, 'new'],
    [{ metadata: {} }, 'new'],
    [{ metadata: {}, spec: { ingressClassName: 'own' } }, 'own'],
    [{ metadata: { annotations }, spec: {} }, undefined],
  ];
  for (const [object, expected] of rows) {
    const about = { group: 'networking.k8s.io', resource: 'ingresses', kind: 'Ingress' };
    const attributes = createTestAttributes({ ...about, object });
    assert.equal(await admit(plugin, attributes), undefined);
    const spec = attributes.object?.['spec'] as { ingressClassName?: string } | undefined;
    assert.equal(spec?.ingressClassName, expected);
  }
});
