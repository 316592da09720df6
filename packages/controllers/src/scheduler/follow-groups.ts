// Tells of groups of pods that come and change: their pods may be placed then.

import type { PodGroup } from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import type { Informer } from '@keelson/client';
import type { ClusterEvent } from './queue/cluster-event.ts';

export function followGroups(
  groups: Informer<PodGroup> | undefined,
  tell: (event: ClusterEvent) => void,
): (() => void)[] {
  if (groups === undefined) return [];
  const resource = 'podgroups';
  const onAdd = (object: PodGroup) => tell({ kind: 'object', resource, object, isNew: true });
  const onUpdate = (object: PodGroup) => tell({ kind: 'object', resource, object });
  return [groups.addHandler({ onAdd, onUpdate })];
}
