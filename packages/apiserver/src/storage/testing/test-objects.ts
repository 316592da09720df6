// Keys and objects for storage tests.

import type { KubeObject } from '@keelson/apimachinery';
import type { Storage, StorageKey } from '../storage.ts';

export function testKey(name: string, namespace = 'default'): StorageKey {
  return `/registry/configmaps/${namespace}/${name}`;
}

export function testConfigMap(name: string, value: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', uid: `uid-of-${name}` },
    data: { value },
  };
}

/** Creates `count` objects at consecutive revisions, in the order of their number. */
export async function createMany(storage: Storage, prefix: string, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      storage.create(testKey(`${prefix}${i}`), testConfigMap(`${prefix}${i}`, 'x')),
    ),
  );
}
