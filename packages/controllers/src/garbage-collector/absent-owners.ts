// Owners that are known not to exist, so that a thousand dependents of one do not ask a thousand
// times. A uid never comes back, so what is in here stays true.

import type { ObjectReference } from './object-reference.ts';

export interface AbsentOwners {
  add(owner: ObjectReference): void;
  has(owner: ObjectReference): boolean;
}

/** As many as kube-controller-manager remembers. */
const rememberedMax = 500;

export function createAbsentOwners(): AbsentOwners {
  const known = new Set<string>();
  const keyOf = (r: ObjectReference) =>
    JSON.stringify([r.apiVersion, r.kind, r.namespace, r.name, r.uid]);
  return {
    add(owner) {
      const key = keyOf(owner);
      known.delete(key);
      known.add(key);
      const oldest = known.keys().next();
      if (known.size > rememberedMax && oldest.done !== true) known.delete(oldest.value);
    },
    has: (owner) => known.has(keyOf(owner)),
  };
}
