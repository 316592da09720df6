// Whether a pod may use the devices of its claims: each claim is allocated and reserved for the pod,
// as a kubelet asks before it prepares them (KEP-4381). SECURITY: a pod that names its node itself
// has bypassed the scheduler, and starts with no device that nobody gave it.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';

/** `undefined` when there is no such claim. */
export type ClaimLookup = (name: string) => Promise<ResourceClaim | undefined>;

/** The claims whose devices can be prepared, or why they cannot. */
export async function readDeviceClaims(
  pod: Pod,
  lookup: ClaimLookup,
): Promise<readonly ResourceClaim[] | string> {
  const claims: ResourceClaim[] = [];
  const named = (pod.spec?.resourceClaims ?? []).map(({ name }) => claimNameOf(pod, name));
  const { extendedResourceClaimStatus: extended } = pod.status ?? {};
  if (extended !== undefined) named.push(extended.resourceClaimName);
  for (const name of named) {
    if (name === '') continue;
    const { namespace = '', name: podName = '' } = pod.metadata;
    const found =
      name === undefined
        ? `pod "${namespace}/${podName}": ResourceClaim not created yet`
        : checkClaim(pod, name, await lookup(name));
    if (typeof found === 'string')
      return `Failed to prepare dynamic resources: prepare dynamic resources: ${found}`;
    claims.push(found);
  }
  return claims;
}

/** Empty: a template that made no claim, since none is needed. */
function claimNameOf({ spec, status }: Pod, reference: string): string | undefined {
  const asked = spec?.resourceClaims?.find(({ name }) => name === reference);
  if (asked?.resourceClaimName !== undefined) return asked.resourceClaimName;
  const made = status?.resourceClaimStatuses?.find(({ name }) => name === reference);
  return made === undefined ? undefined : (made.resourceClaimName ?? '');
}

function checkClaim(
  { metadata: { name: podName = '', uid = '' } }: Pod,
  name: string,
  claim: ResourceClaim | undefined,
): ResourceClaim | string {
  if (claim === undefined)
    return `fetch ResourceClaim ${name}: resourceclaims.resource.k8s.io "${name}" not found`;
  const { metadata, status } = claim;
  if (status?.allocation === undefined) return `ResourceClaim ${name}: not allocated`;
  if ((status.reservedFor ?? []).some((other) => other.uid === uid)) return claim;
  const { uid: claimUid = '' } = metadata;
  return `pod ${podName} (${uid}) is not allowed to use ResourceClaim ${name} (${claimUid})`;
}
