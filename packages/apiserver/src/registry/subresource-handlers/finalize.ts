// `namespaces/finalize`: replaces spec.finalizers, and nothing else, of a namespace. The namespace
// controller empties them when the content is gone; the update that does so removes a dying namespace.

import type { KubeObject } from '@keelson/apimachinery';
import type { SubresourceStrategy } from '../strategy.ts';

interface Finalizable extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: unknown;
}

export const finalizeStrategy: SubresourceStrategy = {
  prepareForUpdate(object, old) {
    const next = object as Finalizable;
    const before = old as Finalizable;
    const finalizers = next.spec?.finalizers;
    next.spec = { ...before.spec };
    if (finalizers === undefined || finalizers.length === 0) delete next.spec.finalizers;
    else next.spec.finalizers = finalizers;
    next.status = before.status;
  },
};
