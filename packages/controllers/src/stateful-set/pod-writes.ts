// Carries out what a StatefulSet plans for its pods, one action after the other, until one fails.

import { isStatusError } from '@keelson/apimachinery';
import type { StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { errorText } from '../machinery/controller.ts';
import type { PendingWrites } from '../machinery/pending-writes.ts';
import { podsResource } from '../machinery/resources.ts';
import { createClaims, hasStaleClaim, retainClaims, type ClaimWrites } from './claims.ts';
import type { PodAction } from './plan-pods.ts';

export interface PodWrites extends ClaimWrites {
  readonly pending: PendingWrites;
  /** Of the set, for the pending writes. */
  readonly key: string;
}

/** Resolves with the first error, if any. */
export async function carryOut(
  writes: PodWrites,
  set: StatefulSet,
  actions: readonly PodAction[],
): Promise<{ readonly error?: unknown }> {
  try {
    for (const action of actions) await carryOutOne(writes, set, action);
    return {};
  } catch (error) {
    return { error };
  }
}

async function carryOutOne(writes: PodWrites, set: StatefulSet, action: PodAction): Promise<void> {
  const { ordinal, pod } = action;
  switch (action.kind) {
    case 'create':
      if (hasStaleClaim(writes.claims, set, ordinal)) throw new StaleClaimError(pod);
      await createClaims(writes, set, action);
      return createPod(writes, set, pod);
    case 'recreate':
      tellOfEnd(writes, set, pod);
      return deletePod(writes, set, pod);
    case 'delete':
      return deletePod(writes, set, pod);
    case 'create-claims':
      return createClaims(writes, set, action);
    case 'repair':
      await createClaims(writes, set, action);
      await retainClaims(writes, set, action);
      return repairPod(writes, pod);
    case 'keep':
      return retainClaims(writes, set, action);
  }
}

/** Tried again later: the claim goes when the garbage collector has seen that its pod is gone. */
class StaleClaimError extends Error {
  constructor({ metadata }: Pod) {
    super(`pod ${metadata.name} waits until a claim of its predecessor is gone`);
    this.name = 'StaleClaimError';
  }
}

async function createPod(writes: PodWrites, set: StatefulSet, pod: Pod): Promise<void> {
  const { client, pending, key, tell, signal } = writes;
  const { namespace = '', name = '' } = set.metadata;
  const what = `Create Pod ${pod.metadata.name} in StatefulSet ${name}`;
  try {
    const created = await client
      .resource<Pod>(podsResource)
      .namespace(namespace)
      .create(pod, { signal });
    pending.created(key, created);
    tell('Normal', 'SuccessfulCreate', `${what} successful`);
  } catch (error) {
    const isSilent = signal.aborted || isStatusError(error, 'AlreadyExists');
    if (!isSilent) tell('Warning', 'FailedCreate', `${what} failed error: ${errorText(error)}`);
    throw error;
  }
}

async function deletePod(writes: PodWrites, set: StatefulSet, pod: Pod): Promise<void> {
  const { client, pending, key, tell, signal } = writes;
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const what = `Delete Pod ${name} in StatefulSet ${set.metadata.name}`;
  try {
    const pods = client.resource<Pod>(podsResource).namespace(namespace);
    await pods.delete(name, { preconditions: { uid }, signal });
    pending.deleted(key, pod);
    tell('Normal', 'SuccessfulDelete', `${what} successful`);
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return;
    if (!signal.aborted)
      tell('Warning', 'FailedDelete', `${what} failed error: ${errorText(error)}`);
    throw error;
  }
}

async function repairPod({ client, signal }: PodWrites, pod: Pod): Promise<void> {
  const pods = client.resource<Pod>(podsResource).namespace(pod.metadata.namespace ?? '');
  await pods.update(pod, { signal });
}

function tellOfEnd({ tell }: PodWrites, { metadata }: StatefulSet, pod: Pod): void {
  const { namespace = '', name = '' } = metadata;
  const isFailure = pod.status?.phase === 'Failed';
  const [type, reason, how] = isFailure
    ? (['Warning', 'RecreatingFailedPod', 'failed'] as const)
    : (['Normal', 'RecreatingTerminatedPod', 'terminated'] as const);
  const whom = `Pod ${pod.metadata.name}`;
  tell(type, reason, `StatefulSet ${namespace}/${name} is recreating ${how} ${whom}`);
}
