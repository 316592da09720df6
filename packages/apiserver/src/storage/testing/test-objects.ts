// Keys and objects for storage tests.

import type { KubeObject } from '@keelson/apimachinery';
import type { StorageKey } from '../storage.ts';

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
