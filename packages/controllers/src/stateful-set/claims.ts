// The claims of a StatefulSet's pods: created with the pod, kept when it goes, and handed to whom the
// retention policy wants.

import { isStatusError } from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Client, Informer } from '@keelson/client';
import { errorText } from '../machinery/controller.ts';
import { persistentVolumeClaimsResource } from '../machinery/resources.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';
import { isHeldElsewhere, isLeftOver, ownersWanted, type Holder } from './claim-retention.ts';
import { claimsOf } from './identity.ts';

export interface ClaimWrites {
  readonly client: Client;
  readonly claims: Informer<PersistentVolumeClaim>;
  /** Records an event about the set. */
  tell(type: 'Normal' | 'Warning', reason: string, message: string): void;
  readonly signal: AbortSignal;
}

/** Those that are there, of all that the pod should have. */
function knownClaims({ claims }: ClaimWrites, { set, ordinal }: Holder): PersistentVolumeClaim[] {
  return claimsOf(set, ordinal).flatMap(
    ({ metadata: { namespace = '', name = '' } }) => claims.store.get(namespace, name) ?? [],
  );
}

/** A new pod has to wait until the claims of its predecessor are gone. */
export function hasClaimLeftOver(writes: ClaimWrites, holder: Holder): boolean {
  return knownClaims(writes, holder).some((claim) => isLeftOver(claim, holder));
}

/** Creates those that are missing. Throws what is wrong with some, after having tried all. */
export async function createClaims(writes: ClaimWrites, holder: Holder): Promise<void> {
  const { client, tell, signal } = writes;
  const { set, ordinal, pod } = holder;
  const { namespace = '', name: setName = '' } = set.metadata;
  const claims = client
    .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
    .namespace(namespace);
  const problems: string[] = [];
  for (const claim of claimsOf(set, ordinal)) {
    const { name = '' } = claim.metadata;
    const known = writes.claims.store.get(namespace, name);
    if (known !== undefined) {
      if (known.metadata.deletionTimestamp !== undefined)
        problems.push(`pvc ${name} is being deleted`);
      continue;
    }
    const what = `${name} Pod ${pod.metadata.name} in StatefulSet ${setName}`;
    try {
      await claims.create(claim, { signal });
      tell('Normal', 'SuccessfulCreate', `Create Claim ${what} success`);
    } catch (error) {
      if (isStatusError(error, 'AlreadyExists')) continue;
      if (signal.aborted || isNamespaceTerminating(error)) throw error;
      const failed = `Create Claim ${what.replace(' Pod', ' for Pod')} failed`;
      tell('Warning', 'FailedCreate', `${failed} error: ${errorText(error)}`);
      problems.push(`failed to create PVC ${name}: ${errorText(error)}`);
    }
  }
  if (problems.length > 0) throw new Error(listed(problems));
}

/** As Go prints several errors. */
function listed(problems: readonly string[]): string {
  return problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`;
}

/** Lets the claims of a pod belong to whom the policy wants. Whether that was a change. */
export async function retainClaims(writes: ClaimWrites, holder: Holder): Promise<boolean> {
  const { client, tell, signal } = writes;
  const claims = client.resource<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  let isChanged = false;
  for (const claim of knownClaims(writes, holder)) {
    const { namespace = '', name = '' } = claim.metadata;
    const ownerReferences = ownersWanted(claim, holder);
    if (isHeldElsewhere(claim, holder)) {
      const why = 'has a conflicting OwnerReference that acts as a manging controller';
      const what = `PersistentVolumeClaim ${name} ${why}`;
      tell('Warning', 'ConflictingController', `${what}, ${ignored}`);
    }
    if (ownerReferences === undefined) continue;
    const metadata = { ...claim.metadata, ownerReferences };
    await claims.namespace(namespace).update({ ...claim, metadata }, { signal });
    isChanged = true;
  }
  return isChanged;
}
/** COMPAT: letter by letter, as what comes before it. */
const ignored = 'the retention policy is ignored for this claim';
