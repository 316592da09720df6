// One attempt to place a pod that asks for devices by names of resources: what has to be allocated
// depends on the node, since some nodes have the resource themselves.

import type { Random } from '@keelson/apimachinery';
import type { ContainerExtendedResourceRequest } from '@keelson/apimachinery/types/core.v1';
import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import type { ClaimToAllocate } from './allocate-devices.ts';
import type { ClaimTracker } from './claim-tracker.ts';
import { expandRequests, type RequestContext } from './device-requests.ts';
import { extendedRequests } from './extended-requests.ts';
import { claimInMemory, extendedResourcesOf, isFromDevices } from './extended-resources.ts';

/** What a node has to give, beside the claims that the pod names. */
export interface ExtendedClaim extends ClaimToAllocate {
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

export interface ExtendedAttempt {
  /** An earlier attempt has left it behind. Its devices may be elsewhere, so it has to go first. */
  readonly stale?: ResourceClaim;
  /** Undefined: nothing. A text: why the pod cannot be there. */
  claimOn(node: NodeState): ExtendedClaim | string | undefined;
}

export interface ExtendedAttemptOptions extends RequestContext {
  readonly claims: Pick<ClaimTracker, 'classOfResource' | 'extendedClaimOf'>;
  readonly random: Random;
}

/** Undefined: the pod asks for nothing that devices stand for. */
export function beginExtended(
  options: ExtendedAttemptOptions,
  pod: PodSummary,
): ExtendedAttempt | undefined {
  const { classOfResource, extendedClaimOf } = options.claims;
  const resources = extendedResourcesOf(pod);
  if (!resources.some((resource) => classOfResource(resource) !== undefined)) return undefined;
  const stale = extendedClaimOf(pod);
  if (stale !== undefined)
    return { stale, claimOn: () => 'cannot schedule extended resource claim' };
  const claim = claimInMemory(pod, options.random);
  const known = new Map<string, ExtendedClaim>();
  return {
    claimOn(node) {
      const missing: string[] = [];
      for (const resource of resources) {
        if (isFromDevices(resource, node, classOfResource)) missing.push(resource);
        else if (!node.allocatable.scalars.has(resource)) return 'cannot fit resource';
      }
      if (missing.length === 0) return undefined;
      const key = missing.join();
      let wanted = known.get(key);
      if (wanted === undefined) {
        const { requests, mappings } = extendedRequests(pod, missing, classOfResource);
        const asking = { ...claim, spec: { devices: { requests: [...requests] } } };
        wanted = { claim: asking, requests: expandRequests(asking, options), mappings };
        known.set(key, wanted);
      }
      return wanted;
    },
  };
}
