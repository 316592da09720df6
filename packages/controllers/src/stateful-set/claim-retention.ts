// Whom the claims of a pod belong to, as persistentVolumeClaimRetentionPolicy wants it (KEP-1847):
// nobody, the set, or the pod once its ordinal is not wanted any more. Deleting is the garbage
// collector's: an owner reference tells it. What an earlier pod or set of the name, or somebody else,
// controls is left alone.

import type { KubeObject, OwnerReference } from '@keelson/apimachinery';
import type { StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { PersistentVolumeClaim, Pod } from '@keelson/apimachinery/types/core.v1';
import { controllerReference, type OwnerKind } from '../machinery/ownership.ts';
import { podsResource } from '../machinery/resources.ts';
import { isInRange, statefulSetKind } from './identity.ts';

const podKind: OwnerKind = { apiVersion: 'v1', kind: 'Pod', resource: podsResource };

/** A pod of a set, there or about to be created. */
export interface Holder {
  readonly set: StatefulSet;
  readonly ordinal: number;
  readonly pod: Pod;
}

/** Undefined when they are as they should be, or may not be touched. */
export function ownersWanted(
  claim: PersistentVolumeClaim,
  holder: Holder,
): OwnerReference[] | undefined {
  const { metadata } = claim;
  const owners = metadata.ownerReferences ?? [];
  if (owners.some((owner) => isStale(owner, holder))) return undefined;
  const ours = owners.filter((owner) => isOurs(owner, holder));
  const wanted = isHeldElsewhere(claim, holder) ? undefined : ownerWanted(holder);
  const isSame =
    ours.length === (wanted === undefined ? 0 : 1) &&
    ours.every(({ uid, controller }) => uid === wanted?.uid && controller === true);
  if (isSame) return undefined;
  const others = owners.filter((owner) => !isOurs(owner, holder));
  return wanted === undefined ? others : [...others, wanted];
}

/** Somebody else controls a claim that the policy may have to delete. */
export function isHeldElsewhere({ metadata }: PersistentVolumeClaim, holder: Holder): boolean {
  const { whenDeleted, whenScaled } = policyOf(holder.set);
  if (whenDeleted !== 'Delete' && whenScaled !== 'Delete') return false;
  return (metadata.ownerReferences ?? []).some(
    (owner) => isStale(owner, holder) || (owner.controller === true && !isOurs(owner, holder)),
  );
}

/** It belongs to an earlier pod of the name and goes with that: a new pod would lose it. */
export function isLeftOver({ metadata }: PersistentVolumeClaim, { set, pod }: Holder): boolean {
  if (policyOf(set).whenScaled !== 'Delete') return false;
  const owner = metadata.ownerReferences?.find((one) => refersTo(one, podKind, pod));
  return owner !== undefined && owner.uid !== pod.metadata.uid;
}

function policyOf({ spec }: StatefulSet) {
  return spec.persistentVolumeClaimRetentionPolicy ?? {};
}

function ownerWanted({ set, ordinal, pod }: Holder): OwnerReference | undefined {
  const { whenDeleted, whenScaled } = policyOf(set);
  if (!isInRange(set, ordinal) && whenScaled === 'Delete') return controllerReference(podKind, pod);
  return whenDeleted === 'Delete' ? controllerReference(statefulSetKind, set) : undefined;
}

function refersTo(
  { apiVersion, kind, name }: OwnerReference,
  ownerKind: OwnerKind,
  { metadata }: KubeObject,
): boolean {
  const isOfKind = apiVersion === ownerKind.apiVersion && kind === ownerKind.kind;
  return isOfKind && name === metadata.name;
}
function isOurs(owner: OwnerReference, { set, pod }: Holder): boolean {
  return refersTo(owner, statefulSetKind, set) || refersTo(owner, podKind, pod);
}
function isStale(owner: OwnerReference, { set, pod }: Holder): boolean {
  const isOf = (ownerKind: OwnerKind, object: KubeObject) =>
    refersTo(owner, ownerKind, object) && owner.uid !== object.metadata.uid;
  return isOf(statefulSetKind, set) || isOf(podKind, pod);
}
