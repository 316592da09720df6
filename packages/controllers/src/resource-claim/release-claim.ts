// Takes users that are gone out of a claim. When nobody is left the devices are given back, and the
// claim may be deleted.

import { isStatusError } from '@keelson/apimachinery';
import type {
  ResourceClaim,
  ResourceClaimConsumerReference,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { ResourceClient } from '@keelson/client';

const finalizer = 'resource.kubernetes.io/delete-protection';

export async function releaseClaim(
  resource: ResourceClient<ResourceClaim>,
  claim: ResourceClaim,
  {
    reservedFor,
    signal,
  }: {
    readonly reservedFor: readonly ResourceClaimConsumerReference[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { metadata, status } = claim;
  const { finalizers = [], deletionTimestamp } = metadata;
  const hasFewer = reservedFor.length < (status?.reservedFor ?? []).length;
  const isUnused = reservedFor.length === 0 && finalizers.includes(finalizer);
  const isReleased = isUnused && (hasFewer || deletionTimestamp !== undefined);
  if (!hasFewer && !isReleased) return;
  try {
    let current = claim;
    if (hasFewer || (isReleased && status?.allocation !== undefined)) {
      const { allocation, reservedFor: _before, ...rest } = status ?? {};
      const kept = {
        ...rest,
        ...(allocation !== undefined && !isReleased && { allocation }),
        ...(reservedFor.length > 0 && { reservedFor: [...reservedFor] }),
      };
      current = await resource.update(
        { ...claim, status: kept },
        { subresource: 'status', signal },
      );
    }
    if (!isReleased) return;
    const left = (current.metadata.finalizers ?? []).filter((name) => name !== finalizer);
    const released = { ...current, metadata: { ...current.metadata, finalizers: left } };
    await resource.update(released, { signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
