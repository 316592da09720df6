// A live, in-memory view of all objects of one resource, for code that must look things up while
// it decides (RBAC, admission, token validation). It is updated synchronously when a write becomes
// durable, so what a client was told is in force is in force. Objects are frozen.

import type { KubeObject } from '@keelson/apimachinery';

export interface ObjectChange<T extends KubeObject = KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
  readonly previous?: T;
}

export interface ObjectSource<T extends KubeObject = KubeObject> {
  /** `namespace` is empty for cluster-scoped resources. */
  get(namespace: string, name: string): T | undefined;
  /** All objects, or those of one namespace, in no particular order. */
  list(namespace?: string): readonly T[];
  /** Called for every later change, in order; returns the function that ends it. Must not throw. */
  subscribe(onChange: (change: ObjectChange<T>) => void): () => void;
}
