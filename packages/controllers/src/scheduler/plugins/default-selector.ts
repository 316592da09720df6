// The pods that belong together with a pod although it says nothing about it: those of the same
// services and of the same workload.

import { compileLabelSelector, type LabelMatcher } from '@keelson/apimachinery';
import type { ObjectLookup } from '../object-lookup.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';

export function defaultSelector(
  lookup: Pick<ObjectLookup, 'services' | 'replicaSet' | 'replicationController' | 'statefulSet'>,
  { pod, namespace, labels }: PodSummary,
): LabelMatcher {
  const matchLabels: Record<string, string> = {};
  for (const { spec } of lookup.services(namespace)) {
    const wanted = Object.entries(spec?.selector ?? {});
    if (wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value))
      Object.assign(matchLabels, spec?.selector);
  }
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
  const group = owner?.apiVersion.split('/')[0];
  if (owner?.kind === 'ReplicationController' && group === 'v1') {
    const { spec } = lookup.replicationController(namespace, owner.name) ?? {};
    Object.assign(matchLabels, spec?.selector);
    return compileLabelSelector({ matchLabels });
  }
  const selector =
    group === 'apps' && owner?.kind === 'ReplicaSet'
      ? lookup.replicaSet(namespace, owner.name)?.spec?.selector
      : group === 'apps' && owner?.kind === 'StatefulSet'
        ? lookup.statefulSet(namespace, owner.name)?.spec?.selector
        : undefined;
  return compileLabelSelector({
    matchLabels: { ...selector?.matchLabels, ...matchLabels },
    matchExpressions: selector?.matchExpressions ?? [],
  });
}
