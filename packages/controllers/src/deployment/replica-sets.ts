// Which ReplicaSet of a Deployment has the template that is wanted now, and which are from before.

import { isDeepStrictEqual } from 'node:util';
import type { Deployment, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import { revisionOf } from './annotations.ts';

export const hashLabel = 'pod-template-hash';

export interface ReplicaSetsOfDeployment {
  /** Undefined until it is created. */
  readonly current: ReplicaSet | undefined;
  /** Oldest first. */
  readonly old: readonly ReplicaSet[];
}

export function sortReplicaSets(
  { spec: { template } }: Deployment,
  sets: readonly ReplicaSet[],
): ReplicaSetsOfDeployment {
  const oldestFirst = sets.toSorted(byAge);
  // Of several with the template the oldest is meant: the choice must not change between two looks.
  const current = oldestFirst.find((set) => hasTemplate(set, template));
  return { current, old: oldestFirst.filter((set) => set !== current) };
}

/** The same but for the label with the hash, which the controller adds. */
export function hasTemplate(set: ReplicaSet, template: PodTemplateSpec | undefined): boolean {
  const own = set.spec.template;
  if (own === undefined || template === undefined) return own === template;
  return isDeepStrictEqual(withoutHash(own), withoutHash(template));
}

export function allOf({ current, old }: ReplicaSetsOfDeployment): readonly ReplicaSet[] {
  return current === undefined ? old : [...old, current];
}
export function wantedReplicas({ spec }: ReplicaSet): number {
  return spec.replicas ?? 1;
}
export function sumOf(sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number {
  return sets.reduce((sum, set) => sum + count(set), 0);
}

/** By creation; of those of the same second, for times are no finer, by revision, then by name. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [x, y] = [a.metadata, b.metadata];
  const ages = Date.parse(x.creationTimestamp ?? '') - Date.parse(y.creationTimestamp ?? '');
  return ages || revisionOf(a) - revisionOf(b) || ((x.name ?? '') < (y.name ?? '') ? -1 : 1);
}

export function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
