// Tells of changes to what devices are allocated from: claims, slices, classes, and rules that taint.

import type { KubeObject } from '@keelson/apimachinery';
import type { createClaimTracker } from './dra/claim-tracker.ts';
import type { ClusterEvent, WatchedResource } from './queue/cluster-event.ts';

export function followDevices(
  informers: ReturnType<typeof createClaimTracker>['informers'] | undefined,
  tell: (event: ClusterEvent) => void,
): (() => void)[] {
  if (informers === undefined) return [];
  const { claims, slices, classes, rules } = informers;
  const handler = (resource: WatchedResource) => {
    const onUpdate = (object: KubeObject) => tell({ kind: 'object', resource, object });
    const onAdd = (object: KubeObject) => tell({ kind: 'object', resource, object, isNew: true });
    const onDelete = (object: KubeObject) =>
      tell({ kind: 'object', resource, object, isDeletion: true });
    return { onAdd, onUpdate, onDelete };
  };
  return [
    claims.addHandler(handler('resourceclaims')),
    slices.addHandler(handler('resourceslices')),
    classes.addHandler(handler('deviceclasses')),
    ...(rules === undefined ? [] : [rules.addHandler(followRules(handler('resourceslices')))]),
  ];
}

/** A rule changes what slices are taken for, by coming and by going. */
function followRules({ onUpdate: changed }: { onUpdate(object: KubeObject): void }) {
  return { onAdd: changed, onUpdate: changed, onDelete: changed };
}
