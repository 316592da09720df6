// The claims of a StatefulSet's pods: created with the pod, kept when it goes, and deleted with the
// pod or the set only where persistentVolumeClaimRetentionPolicy says so (KEP-1847). Deleting is the
// garbage collector's: an owner reference tells it.

import { isStatusError, type OwnerReference } from '@keelson/apimachinery';
import type { StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { PersistentVolumeClaim, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client, Informer } from '@keelson/client';
import { errorText } from '../machinery/controller.ts';
import { controllerOf, controllerReference } from '../machinery/ownership.ts';
import { persistentVolumeClaimsResource, podsResource } from '../machinery/resources.ts';
import { claimsOf, isInRange, statefulSetKind } from './identity.ts';

export interface ClaimWrites {
  readonly client: Client;
  readonly claims: Informer<PersistentVolumeClaim>;
  /** Records an event about the set. */
  tell(type: 'Normal' | 'Warning', reason: string, message: string): void;
  readonly signal: AbortSignal;
}

const podKind = { apiVersion: 'v1', kind: 'Pod', resource: podsResource };

/** Throws what the API refused. */
export async function createClaims(
  { client, claims, tell, signal }: ClaimWrites,
  set: StatefulSet,
  { ordinal, pod }: { readonly ordinal: number; readonly pod: Pod },
): Promise<void> {
  const { namespace = '', name: setName = '' } = set.metadata;
  const resource = client.resource<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  for (const claim of claimsOf(set, ordinal)) {
    const { name = '' } = claim.metadata;
    if (claims.store.get(namespace, name) !== undefined) continue;
    const what = `${name} Pod ${pod.metadata.name} in StatefulSet ${setName}`;
    try {
      await resource.namespace(namespace).create(claim, { signal });
      tell('Normal', 'SuccessfulCreate', `Create Claim ${what} success`);
    } catch (error) {
      if (isStatusError(error, 'AlreadyExists')) continue;
      const failed = `Create Claim ${what.replace(' Pod', ' for Pod')} failed`;
      if (!signal.aborted) tell('Warning', 'FailedCreate', `${failed} error: ${errorText(error)}`);
      throw error;
    }
  }
}

/**
 * A claim is on its way out, or belongs to an earlier pod of the name: a new pod would lose it, so
 * it has to wait.
 */
export function hasStaleClaim(
  claims: Informer<PersistentVolumeClaim>,
  set: StatefulSet,
  ordinal: number,
): boolean {
  return claimsOf(set, ordinal).some(({ metadata }) => {
    const claim = claims.store.get(metadata.namespace ?? '', metadata.name ?? '');
    if (claim === undefined) return false;
    const owners = claim.metadata.ownerReferences ?? [];
    const isOfPod = ({ kind, name }: OwnerReference) =>
      kind === 'Pod' && name === `${set.metadata.name}-${ordinal}`;
    return claim.metadata.deletionTimestamp !== undefined || owners.some(isOfPod);
  });
}

/** Lets the claims of a pod belong to whom the policy wants. */
export async function retainClaims(
  { client, claims, signal }: ClaimWrites,
  set: StatefulSet,
  { ordinal, pod }: { readonly ordinal: number; readonly pod: Pod },
): Promise<void> {
  const resource = client.resource<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  for (const { metadata } of claimsOf(set, ordinal)) {
    const claim = claims.store.get(metadata.namespace ?? '', metadata.name ?? '');
    if (claim === undefined) continue;
    const ownerReferences = wantedOwners(set, pod, ordinal, claim);
    if (ownerReferences === undefined) continue;
    const changed = { ...claim, metadata: { ...claim.metadata, ownerReferences } };
    await resource.namespace(claim.metadata.namespace ?? '').update(changed, { signal });
  }
}

/** Undefined when they are as they should be, or somebody else controls the claim. */
function wantedOwners(
  set: StatefulSet,
  pod: Pod,
  ordinal: number,
  claim: PersistentVolumeClaim,
): OwnerReference[] | undefined {
  const controller = controllerOf(claim);
  const isOurs = ({ kind, name, apiVersion }: OwnerReference) =>
    (kind === 'StatefulSet' && apiVersion === 'apps/v1' && name === set.metadata.name) ||
    (kind === 'Pod' && apiVersion === 'v1' && name === pod.metadata.name);
  if (controller !== undefined && !isOurs(controller)) return undefined;
  const before = claim.metadata.ownerReferences ?? [];
  const owner = wantedOwner(set, pod, ordinal);
  const ours = before.filter(isOurs);
  const isSame = owner === undefined ? ours.length === 0 : ours.length === 1;
  if (isSame && ours.every(({ uid }) => uid === owner?.uid)) return undefined;
  const others = before.filter((reference) => !isOurs(reference));
  return owner === undefined ? others : [...others, owner];
}

function wantedOwner(set: StatefulSet, pod: Pod, ordinal: number): OwnerReference | undefined {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  if (!isInRange(set, ordinal) && whenScaled === 'Delete') return controllerReference(podKind, pod);
  return whenDeleted === 'Delete' ? controllerReference(statefulSetKind, set) : undefined;
}
