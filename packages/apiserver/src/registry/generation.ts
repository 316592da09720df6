// `metadata.generation` of kinds that count changes of what was asked for. Kinds that do not count
// keep whatever was sent on creation, as in Kubernetes.

import type { KubeObject } from '@keelson/apimachinery';

export function startGeneration(object: KubeObject): void {
  object.metadata.generation = 1;
}

/** The next generation when `changed`, else the one before. */
export function advanceGeneration(object: KubeObject, old: KubeObject, changed: boolean): void {
  const before = Number(old.metadata.generation ?? 0);
  if (changed) object.metadata.generation = before + 1;
  else if (before > 0) object.metadata.generation = before;
  else delete object.metadata.generation;
}
