// Owners that are known not to exist, so that a thousand dependents of one do not ask a thousand
// times. A uid never comes back, so what is in here stays true.

import { createRecentMap } from '../machinery/recent-map.ts';
import type { ObjectReference } from './object-reference.ts';

export interface AbsentOwners {
  add(owner: ObjectReference): void;
  has(owner: ObjectReference): boolean;
}

/** As many as kube-controller-manager remembers. */
const rememberedMax = 500;

export function createAbsentOwners(): AbsentOwners {
  const known = createRecentMap<true>(rememberedMax);
  const keyOf = (r: ObjectReference) =>
    JSON.stringify([r.apiVersion, r.kind, r.namespace, r.name, r.uid]);
  return {
    add: (owner) => known.put(keyOf(owner), true),
    has: (owner) => known.get(keyOf(owner)) !== undefined,
  };
}
