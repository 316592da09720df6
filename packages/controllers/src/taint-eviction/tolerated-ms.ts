// How long a pod stays on a node with taints that evict: not at all when it does not bear one of
// them, for ever when it bears all without a limit, else for the shortest of the limits.

import type { Taint, Toleration } from '@keelson/apimachinery/types/core.v1';
import { tolerates } from '../pods/tolerations.ts';

/** Milliseconds; Infinity is for ever, undefined for a taint that it does not bear. */
export function toleratedMs(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
): number | undefined {
  let shortest = Infinity;
  for (const taint of taints) {
    const toleration = tolerations.find((candidate) => tolerates(candidate, taint));
    if (toleration === undefined) return undefined;
    const { tolerationSeconds } = toleration;
    if (tolerationSeconds === undefined) continue;
    shortest = Math.min(shortest, Math.max(0, Number(tolerationSeconds)) * 1000);
  }
  return shortest;
}
