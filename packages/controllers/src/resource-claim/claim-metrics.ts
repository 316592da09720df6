// What kube-controller-manager counts of claims of devices: those that there are, and those that it
// has made.

import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Informer } from '@keelson/client';
import { countBy, type ControllerMetrics } from '../machinery/controller-metrics.ts';

/** Names the reference of the pod that a claim was made for. */
export const podClaimAnnotation = 'resource.kubernetes.io/pod-claim-name';
const extendedResourceAnnotation = 'resource.kubernetes.io/extended-resource-claim';

/** Returns what ends it. */
export function countClaims(
  metrics: ControllerMetrics,
  claims: Pick<Informer<ResourceClaim>, 'store'>,
): () => void {
  return metrics.counted(
    'resourceclaim_controller_resource_claims',
    "[ALPHA] Number of ResourceClaims, categorized by allocation status, admin access, and source. Source can be 'resource_claim_template' (created from a template), 'extended_resource' (extended resources), or empty (manually created by a user).",
    () =>
      countBy(claims.store.list(), (claim) => ({
        admin_access: String(hasAdminAccess(claim)),
        allocated: String(claim.status?.allocation !== undefined),
        source: sourceOf(claim),
      })),
  );
}

/** To be told of each claim that is made from a template, and whether that went well. */
export function createCreationMetrics(
  metrics: ControllerMetrics,
): (claim: ResourceClaim, isMade: boolean) => void {
  const counter = metrics.counter(
    'resourceclaim_controller_creates_total',
    '[ALPHA] Number of ResourceClaims creation requests, categorized by creation status and admin access',
  );
  return (claim, isMade) =>
    counter.add({
      admin_access: String(hasAdminAccess(claim)),
      status: isMade ? 'success' : 'failure',
    });
}

export function hasAdminAccess({ spec }: ResourceClaim): boolean {
  return spec.devices?.requests?.some(({ exactly }) => exactly?.adminAccess === true) === true;
}

function sourceOf({ metadata: { annotations = {} } }: ResourceClaim): string {
  if (annotations[extendedResourceAnnotation] === 'true') return 'extended_resource';
  return annotations[podClaimAnnotation] === undefined ? '' : 'resource_claim_template';
}
