// What updates of pods do to metadata: count changes of the specification, and keep what a
// subresource must not touch.

import { copyJson } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { isSemanticallyEqual } from '../../validation/equality.ts';

export function advancePodGeneration(pod: Pod, old: Pod): void {
  const before = Number(old.metadata.generation ?? 0);
  if (!isSemanticallyEqual(pod.spec, old.spec)) pod.metadata.generation = before + 1;
}

const kept = [
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'selfLink',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
] as const;

/** Takes the metadata of the old object, except that field management goes on. */
export function resetMetadata(pod: Pod, old: Pod): void {
  const target: Record<string, unknown> = pod.metadata;
  for (const field of kept) {
    const value = old.metadata[field];
    if (value === undefined) delete target[field];
    else target[field] = copyJson(value);
  }
}
