// How the garbage collector names objects: what an owner reference says, and the namespace, which
// an owner reference does not say.

import type { OwnerReference } from '@keelson/apimachinery';

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for objects of the cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** The owner that a reference of an object in `namespace` names, if it is in a namespace at all. */
export function ownerOf(owner: OwnerReference, namespace: string): ObjectReference {
  const { apiVersion, kind, name, uid } = owner;
  return { apiVersion, kind, namespace, name, uid };
}

export function isSameReference(a: ObjectReference, b: ObjectReference): boolean {
  return a.namespace === b.namespace && namesSameOwner(a, b);
}

/** The same but for the namespace, which owner references leave out. */
export function namesSameOwner(
  a: Omit<ObjectReference, 'namespace'>,
  b: Omit<ObjectReference, 'namespace'>,
): boolean {
  return a.uid === b.uid && a.name === b.name && a.kind === b.kind && a.apiVersion === b.apiVersion;
}

/** `[v1/ConfigMap, namespace: shop, name: a, uid: …]`, as kube-controller-manager writes it. */
export function formatReference(r: ObjectReference): string {
  return `[${r.apiVersion}/${r.kind}, namespace: ${r.namespace}, name: ${r.name}, uid: ${r.uid}]`;
}
