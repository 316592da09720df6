// Lists of tolerations: which toleration covers which, and lists put together without what is
// covered anyway. Law: k8s.io/kubernetes/pkg/util/tolerations.

import { jsonEqual, type JsonObject } from '@keelson/apimachinery';
import type { Toleration } from '@keelson/apimachinery/types/core.v1';

/**
 * The first list, then what the second adds to it. Of two that cover each other the first stays.
 */
export function mergeTolerations(
  first: readonly Toleration[],
  second: readonly Toleration[],
): Toleration[] {
  const all = [...first, ...second];
  const merged: Toleration[] = [];
  for (const [i, toleration] of all.entries()) {
    if (merged.some((kept) => covers(kept, toleration))) continue;
    const later = all.slice(i + 1);
    if (later.some((other) => !isEqual(toleration, other) && covers(other, toleration))) continue;
    merged.push(toleration);
  }
  return merged;
}

/** True when every toleration is covered by one of the allowed ones; an empty list allows all. */
export function areTolerationsAllowed(
  tolerations: readonly Toleration[],
  allowed: readonly Toleration[],
): boolean {
  if (allowed.length === 0) return true;
  return tolerations.every((toleration) => allowed.some((wide) => covers(wide, toleration)));
}

/** True when `wide` tolerates everything that `narrow` tolerates, for at least as long. */
export function covers(wide: Toleration, narrow: Toleration): boolean {
  if (isEqual(wide, narrow)) return true;
  const wideKey = wide.key ?? '';
  const anyKey = wideKey === '' && wide.operator === 'Exists';
  if ((narrow.key ?? '') !== wideKey && !anyKey) return false;
  const wideEffect = wide.effect ?? '';
  if (wideEffect !== '' && (narrow.effect ?? '') !== wideEffect) return false;
  if (wideEffect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined) return false;
    if (narrow.tolerationSeconds > wide.tolerationSeconds) return false;
  }
  const operator = wide.operator ?? '';
  if (operator === 'Exists') return true;
  if (operator !== '' && operator !== 'Equal') return false;
  return (narrow.operator ?? '') === operator && (narrow.value ?? '') === (wide.value ?? '');
}

function isEqual(a: Toleration, b: Toleration): boolean {
  return jsonEqual(a as JsonObject, b as JsonObject);
}
