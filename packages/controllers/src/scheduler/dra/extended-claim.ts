// The claim for extended resources on the server: created when the pod has its node, allocated and
// reserved like any other, and named in the status of the pod, where its kubelet looks for it. When
// the pod is not bound after all, the claim goes again.

import { isStatusError } from '@keelson/apimachinery';
import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Client } from '@keelson/client';
import { resourceClaimsResource } from '../../machinery/resources.ts';
import { patchPodStatus } from '../pod-status.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { deleteProtection } from './claim-tracker.ts';
import type { ExtendedClaim } from './extended-attempt.ts';
import type { ReserveDevicesOptions } from './reserve-devices.ts';

/** The server gives it a name and a uid. */
export async function createExtendedClaim(
  { client, metrics }: Pick<ReserveDevicesOptions, 'client' | 'metrics'>,
  { claim: { apiVersion, kind, metadata, spec } }: ExtendedClaim,
  signal: AbortSignal,
): Promise<ResourceClaim> {
  const { name: _name, uid: _uid, ...rest } = metadata;
  const claims = client.resource<ResourceClaim>(resourceClaimsResource);
  try {
    const wanted = { apiVersion, kind, metadata: rest, spec };
    const created = await claims.namespace(metadata.namespace ?? '').create(wanted, { signal });
    metrics?.claimCreated('success');
    return created;
  } catch (cause) {
    metrics?.claimCreated('failure');
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = `create claim for extended resources ${metadata.namespace}/: ${why}`;
    throw new Error(text, { cause });
  }
}

export async function tellExtendedClaim(
  client: Client,
  {
    pod: { pod },
    claim,
    mappings,
  }: {
    readonly pod: PodSummary;
    readonly claim: ResourceClaim;
    readonly mappings: ExtendedClaim['mappings'];
  },
  signal: AbortSignal,
): Promise<void> {
  const extendedResourceClaimStatus = {
    requestMappings: mappings.map((mapping) => ({ ...mapping })),
    resourceClaimName: claim.metadata.name ?? '',
  };
  const metadata = { uid: pod.metadata.uid ?? '' };
  await patchPodStatus(client, pod, { metadata, status: { extendedResourceClaimStatus } }, signal);
}

export async function deleteExtendedClaim(
  client: Client,
  { metadata: { namespace = '', name = '', uid = '', finalizers = [] } }: ResourceClaim,
  signal: AbortSignal,
): Promise<void> {
  const claims = client.resource<ResourceClaim>(resourceClaimsResource).namespace(namespace);
  try {
    // Nobody uses it: the pod that it was made for is not bound.
    const left = finalizers.filter((finalizer) => finalizer !== deleteProtection);
    await claims.patch(name, 'merge', { metadata: { uid, finalizers: left } }, { signal });
    await claims.delete(name, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
