// The claims of pods as the scheduler sees them: those of the API, and allocations that it has
// decided on but that are not written yet. No device is given out twice meanwhile.

import { isStatusError, type GroupVersionResource } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type {
  AllocationResult,
  DeviceClass,
  ResourceClaim,
  ResourceSlice,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { DeviceTaintRule } from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';
import type { Client, Informers } from '@keelson/client';
import { withRuleTaints } from '../../device-taint-eviction/rule-taints.ts';
import {
  deviceClassesResource,
  resourceClaimsResource,
  resourceSlicesResource,
} from '../../machinery/resources.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { collectAllocated, type AllocatedDevices } from './allocated-devices.ts';
import { extendedOwners, newestClass, resourcesOfClass } from './extended-resources.ts';

export const deleteProtection = 'resource.kubernetes.io/delete-protection';
const byResource = 'extendedResource';
const byExtendedOwner = 'extendedOwnerUid';
/** Pods that a claim can be reserved for; the API's limit. */
export const reservedForMax = 256;

export interface ClaimTracker {
  claim(namespace: string, name: string): ResourceClaim | undefined;
  deviceClass(name: string): DeviceClass | undefined;
  /** Whose devices stand for the extended resource. */
  classOfResource(resource: string): DeviceClass | undefined;
  /** The claim that was made for what the pod asks for by names of resources. */
  extendedClaimOf(pod: PodSummary): ResourceClaim | undefined;
  slices(): readonly ResourceSlice[];
  /** Given out, written or only decided. */
  allocated(): AllocatedDevices;
  isInFlight(claim: ResourceClaim): boolean;
  /** Decided, not written. Returns what takes it back. */
  decide(claim: ResourceClaim, allocation: AllocationResult): () => void;
}

/** Without `taintRules` devices have the taints of their slices only. */
export function createClaimTracker(informers: Informers, taintRules?: GroupVersionResource) {
  const claims = informers.informer<ResourceClaim>(resourceClaimsResource);
  const slices = informers.informer<ResourceSlice>(resourceSlicesResource);
  const classes = informers.informer<DeviceClass>(deviceClassesResource);
  const rules = taintRules && informers.informer<DeviceTaintRule>(taintRules);
  classes.addIndex(byResource, resourcesOfClass);
  claims.addIndex(byExtendedOwner, extendedOwners);
  const inFlight = new Map<string, AllocationResult>();
  const tracker: ClaimTracker = {
    claim: (namespace, name) => claims.store.get(namespace, name),
    deviceClass: (name) => classes.store.get('', name),
    classOfResource: (resource) => newestClass(classes.store.byIndex(byResource, resource)),
    extendedClaimOf: ({ uid }) => claims.store.byIndex(byExtendedOwner, uid)[0],
    slices: () => withRuleTaints(slices.store.list(), rules?.store.list() ?? []),
    allocated() {
      // What is written already does not count twice, since its decision is forgotten then.
      const written = claims.store.list().map(({ status }) => status?.allocation);
      return collectAllocated([...written, ...inFlight.values()]);
    },
    isInFlight: ({ metadata: { uid = '' }, status }) =>
      status?.allocation === undefined && inFlight.has(uid),
    decide({ metadata: { uid = '' } }, allocation) {
      inFlight.set(uid, allocation);
      return () => void inFlight.delete(uid);
    },
  };
  // From now on the API says so itself.
  const settle = ({ metadata: { uid = '' }, status }: ResourceClaim) => {
    if (status?.allocation !== undefined) inFlight.delete(uid);
  };
  claims.addHandler({
    onAdd: settle,
    onUpdate: settle,
    onDelete: ({ metadata: { uid = '' } }) => void inFlight.delete(uid),
  });
  return { tracker, informers: { claims, slices, classes, ...(rules && { rules }) } };
}

/** The claim that a pod means by `spec.resourceClaims[name]`; undefined when it needs none. */
export function claimNameOf(
  { pod, namespace, name: podName }: PodSummary,
  reference: NonNullable<Pod['spec']['resourceClaims']>[number],
): { readonly name: string | undefined } | { readonly problem: string } {
  const { name, resourceClaimName, resourceClaimTemplateName } = reference;
  if (resourceClaimName !== undefined) return { name: resourceClaimName };
  if (resourceClaimTemplateName === undefined) {
    const where = `pod "${namespace}/${podName}", spec.resourceClaim "${name}"`;
    return { problem: `${where}: none of the supported fields are set` };
  }
  const status = pod.status?.resourceClaimStatuses?.find((other) => other.name === name);
  if (status === undefined)
    return { problem: `pod "${namespace}/${podName}": ResourceClaim not created yet` };
  return { name: status.resourceClaimName };
}

export function isReservedFor({ status }: ResourceClaim, uid: string): boolean {
  return (status?.reservedFor ?? []).some((reserver) => reserver.uid === uid);
}

/** Writes the allocation, if there is a new one, and that the pod uses the claim. */
export async function reserveClaim(
  client: Client,
  {
    claim,
    allocation,
    pod,
    now,
  }: {
    readonly claim: ResourceClaim;
    readonly allocation: AllocationResult | undefined;
    readonly pod: PodSummary;
    readonly now: string;
  },
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '', uid } = claim.metadata;
  const claims = client.resource<ResourceClaim>(resourceClaimsResource).namespace(namespace);
  for (let current = claim, tries = 1; ; tries++) {
    try {
      if (
        allocation !== undefined &&
        !(current.metadata.finalizers ?? []).includes(deleteProtection)
      ) {
        const finalizers = [...(current.metadata.finalizers ?? []), deleteProtection];
        const metadata = { ...current.metadata, finalizers };
        current = await claims.update({ ...current, metadata }, { signal });
      }
      const status = { ...current.status };
      if (allocation !== undefined) status.allocation = { ...allocation, allocationTimestamp: now };
      if (!isReservedFor(current, pod.uid)) {
        const reserver = { resource: 'pods', name: pod.name, uid: pod.uid };
        status.reservedFor = [...(status.reservedFor ?? []), reserver];
      }
      await claims.update({ ...current, status }, { subresource: 'status', signal });
      return;
    } catch (error) {
      if (!isStatusError(error, 'Conflict') || tries >= triesMax) throw error;
      current = await claims.get(name, { signal });
      if (current.metadata.uid !== uid)
        throw new Error(`claim ${namespace}/${name} got deleted in the meantime`, { cause: error });
      const isAllocated = current.status?.allocation !== undefined;
      if (isAllocated !== (allocation === undefined)) {
        const what = isAllocated ? 'allocated' : 'deallocated';
        const text = `claim ${namespace}/${name} got ${what} elsewhere in the meantime`;
        throw new Error(text, { cause: error });
      }
    }
  }
}

const triesMax = 5;

/** Takes the allocation away from a claim that nobody uses. */
export async function deallocateClaim(
  client: Client,
  claim: ResourceClaim,
  signal: AbortSignal,
): Promise<void> {
  const { allocation: _allocation, reservedFor: _reservedFor, ...status } = claim.status ?? {};
  const claims = client.resource<ResourceClaim>(resourceClaimsResource);
  const { namespace = '' } = claim.metadata;
  await claims.namespace(namespace).update({ ...claim, status }, { subresource: 'status', signal });
}
