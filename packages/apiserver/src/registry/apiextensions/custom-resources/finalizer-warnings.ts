// Warnings about finalizers that may clash with those of other writers, for want of a domain.

import type { KubeObject } from '@keelson/apimachinery';

const plainFinalizers: ReadonlySet<string> = new Set([
  'orphan',
  'foregroundDeletion',
  'kubernetes',
]);

/** One warning for each newly added finalizer without a path, sorted. */
export function finalizerWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  const before = new Set(old?.metadata.finalizers);
  const added = (object.metadata.finalizers ?? []).filter((name) => !before.has(name));
  return [...new Set(added)]
    .sort()
    .filter((name) => !name.includes('/') && !plainFinalizers.has(name))
    .map(
      (name) =>
        `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    );
}
