// Which class is the default: classes say so themselves, by annotation, and nothing keeps two of
// them from saying so.

import type { KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../object-source.ts';

/**
 * Of the objects with one of these annotations set to `true` the newest, then the first by name.
 */
export function newestByAnnotation(
  classes: ObjectSource,
  annotations: readonly string[],
): KubeObject | undefined {
  let best: KubeObject | undefined;
  for (const candidate of classes.list()) {
    if (!annotations.some((key) => candidate.metadata.annotations?.[key] === 'true')) continue;
    if (best === undefined || isBefore(candidate, best)) best = candidate;
  }
  return best;
}

function isBefore({ metadata: a }: KubeObject, { metadata: b }: KubeObject): boolean {
  const [madeA, madeB] = [a.creationTimestamp ?? '', b.creationTimestamp ?? ''];
  return madeA === madeB ? (a.name ?? '') < (b.name ?? '') : madeA > madeB;
}
