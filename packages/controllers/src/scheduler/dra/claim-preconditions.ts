// What must be there before devices are looked for: the claims of the pod, its own ones, and the
// classes that they ask for. The answers are the texts that users read.

import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { claimNameOf, type ClaimTracker } from './claim-tracker.ts';

/** A claim that has to be there before the pod is worth a try. */
export function missingClaim(claims: ClaimTracker, summary: PodSummary): string | undefined {
  for (const reference of summary.pod.spec.resourceClaims ?? []) {
    const found = claimNameOf(summary, reference);
    if ('problem' in found) return found.problem;
    if (found.name === undefined) continue;
    const problem = claimProblem(claims, summary, found.name);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function claimProblem(
  claims: ClaimTracker,
  pod: PodSummary,
  claimName: string,
): string | undefined {
  const claim = claims.claim(pod.namespace, claimName);
  if (claim === undefined) return `resourceclaim.resource.k8s.io "${claimName}" not found`;
  if (claim.metadata.deletionTimestamp !== undefined)
    return `resourceclaim "${claimName}" is being deleted`;
  const isNamed = (pod.pod.spec.resourceClaims ?? []).some(
    ({ resourceClaimName }) => resourceClaimName === claimName,
  );
  const isOwner = (claim.metadata.ownerReferences ?? []).some(
    ({ uid, controller }) => uid === pod.uid && controller === true,
  );
  if (isNamed || isOwner) return undefined;
  const { namespace, name: podName } = pod;
  return `ResourceClaim ${namespace}/${claimName} was not created for Pod ${namespace}/${podName} (Pod is not owner)`;
}

/** A class that the claim asks for and that is not there. */
export function missingClass(tracker: ClaimTracker, { spec }: ResourceClaim): string | undefined {
  for (const { name: request, exactly, firstAvailable = [] } of spec.devices?.requests ?? []) {
    const named = [
      ...(exactly === undefined ? [] : [{ place: request, className: exactly.deviceClassName }]),
      ...firstAvailable.map((sub) => ({
        place: `${request}/${sub.name}`,
        className: sub.deviceClassName,
      })),
    ];
    for (const { place, className } of named)
      if (tracker.deviceClass(className) === undefined)
        return `request ${place}: device class ${className} does not exist`;
  }
  return undefined;
}
