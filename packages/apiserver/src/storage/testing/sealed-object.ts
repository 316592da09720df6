// Objects that show whether they are whole: every part is derived from one token, so half of one
// write and half of another cannot pass.

import assert from 'node:assert/strict';
import type { KubeObject } from '@keelson/apimachinery';
import type { StorageKey } from '../storage.ts';

export function sealedObject(key: StorageKey, token: string, padding: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: key, uid: token },
    data: { padding: token.padEnd(padding, token), token },
  };
}

/** Asserts that the object is one that `sealedObject` made for the key; returns its token. */
export function tokenOf(key: StorageKey, object: KubeObject): string {
  const token = object.metadata.uid ?? '';
  const padding = (object.data as { padding: string }).padding;
  const { resourceVersion: _, ...metadata } = object.metadata;
  assert.deepEqual({ ...object, metadata }, sealedObject(key, token, padding.length));
  return token;
}
