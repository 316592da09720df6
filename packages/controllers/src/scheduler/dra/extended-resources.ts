// Devices by the name of an extended resource (KEP-5004): a pod asks for `vendor/thing: 2` as ever, and
// on nodes that have none of it, devices of the class of that name are allocated for it. All that a
// pod asks for in this way becomes one claim of its own, which the scheduler creates when the pod has
// its node.

import {
  createUid,
  deviceClassPrefix,
  isExtendedRequest,
  type Random,
} from '@keelson/apimachinery';
import type { DeviceClass, ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';

const extendedClaimAnnotation = 'resource.kubernetes.io/extended-resource-claim';
/** Of a claim that is not written yet; no claim can have it. */
const nameInMemory = '<extended-resources>';

/** The class of devices that stand for a resource. */
export type ClassOfResource = (resource: string) => DeviceClass | undefined;

/** The names by which containers can ask for devices of the class. */
export function resourcesOfClass({ metadata: { name = '' }, spec }: DeviceClass): string[] {
  const implicit = `${deviceClassPrefix}${name}`;
  return spec.extendedResourceName === undefined
    ? [implicit]
    : [implicit, spec.extendedResourceName];
}

/** Of classes with one resource name: who moves from one class to another makes the new one last. */
export function newestClass(classes: readonly DeviceClass[]): DeviceClass | undefined {
  return classes.toSorted(
    ({ metadata: a }, { metadata: b }) =>
      Date.parse(b.creationTimestamp ?? '') - Date.parse(a.creationTimestamp ?? '') ||
      ((a.name ?? '') < (b.name ?? '') ? -1 : 1),
  )[0];
}

/** The node has none of the resource itself, and devices of a class stand for it. */
export function isFromDevices(
  resource: string,
  { allocatable }: Pick<NodeState, 'allocatable'>,
  classOf: ClassOfResource,
): boolean {
  return (allocatable.scalars.get(resource) ?? 0) === 0 && classOf(resource) !== undefined;
}

/** What the pod asks for that devices may stand for; by name, without what is not asked for at all. */
export function extendedResourcesOf({ requests }: PodSummary): string[] {
  if (requests.scalars.size === 0) return [];
  return [...requests.scalars]
    .flatMap(([resource, amount]) => (amount > 0 && isExtendedRequest(resource) ? resource : []))
    .toSorted();
}

/** The claim for them, before it is known what it has to ask for. */
export function claimInMemory({ namespace, name, uid }: PodSummary, random: Random): ResourceClaim {
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      namespace,
      name: nameInMemory,
      uid: createUid(random),
      generateName: `${name}-extended-resources-`,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
      annotations: { [extendedClaimAnnotation]: 'true' },
    },
    spec: {},
  };
}

/** Uids of pods that the claim was made for, because of what they ask for by names of resources. */
export function extendedOwners({ metadata }: ResourceClaim): string[] {
  if (metadata.annotations?.[extendedClaimAnnotation] !== 'true') return [];
  const owners = (metadata.ownerReferences ?? []).filter(({ controller }) => controller === true);
  return owners.map(({ uid }) => uid);
}
