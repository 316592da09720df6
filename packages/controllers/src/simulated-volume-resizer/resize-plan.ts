// To which size a volume is to be expanded next, as the external resizer decides: what has begun is
// finished before something else is tried, unless it turned out to be impossible.
//
//   the claim says                      its volume is too small     its volume is large enough
//   nothing, or controller infeasible   what is requested           what was allocated, if anything
//   controller in progress              what was allocated          what was allocated
//   node pending or in progress         what was allocated, unless  nothing: the node goes on
//                                       the volume has that
//   node infeasible                     what was allocated          what was allocated
//
// KEP-1790; without its gate a claim says nothing, and only its conditions tell that a node goes on.

import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { asksForMore, isLarger, requestedStorage, volumeCapacity } from '../volumes/claim-sizes.ts';
import { isFileSystemResizePending, resizeStatusOf } from './resize-status.ts';

/** The size to expand to; undefined when there is nothing to do for now. */
export function planResize(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
): string | undefined {
  if (!asksForMore(claim)) return undefined;
  const requested = requestedStorage(claim);
  const size = volumeCapacity(volume);
  const allocated = claim.status?.allocatedResources?.['storage'];
  const begun = allocated ?? requested;
  const isTooSmall = isLarger(requested, size);
  switch (resizeStatusOf(claim)) {
    case 'NodeResizePending':
    case 'NodeResizeInProgress':
      return isTooSmall && isLarger(begun, size) ? begun : undefined;
    case 'NodeResizeInfeasible':
    case 'ControllerResizeInProgress':
      return begun;
    case 'ControllerResizeInfeasible':
      return isTooSmall ? requested : begun;
    default:
      if (isTooSmall) return requested;
      return allocated === undefined && isFileSystemResizePending(claim) ? undefined : begun;
  }
}
