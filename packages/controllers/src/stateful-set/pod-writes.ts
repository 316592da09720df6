// Carries out what a StatefulSet plans for its pods. Pods that come in order are dealt with one by one
// until something is refused; others in batches, a few at first.

import { isStatusError } from '@keelson/apimachinery';
import type { StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { errorText } from '../machinery/controller.ts';
import type { PendingWrites } from '../machinery/pending-writes.ts';
import { podsResource } from '../machinery/resources.ts';
import { runInBatches } from '../machinery/slow-start.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';
import type { Holder } from './claim-retention.ts';
import { createClaims, hasClaimLeftOver, retainClaims, type ClaimWrites } from './claims.ts';
import type { PodAction, PodPlan } from './plan-pods.ts';

export interface PodWrites extends ClaimWrites {
  readonly pending: PendingWrites;
  /** Of the set, for the pending writes. */
  readonly key: string;
}

export interface CarriedOut {
  /** What was refused first. */
  readonly error?: unknown;
  /** Something has to wait for what tells nobody that it has happened. */
  readonly isWaiting: boolean;
}

/** Never rejects. */
export async function carryOut(
  writes: PodWrites,
  set: StatefulSet,
  { isOrdered, phases }: PodPlan,
): Promise<CarriedOut> {
  const run = isOrdered ? runInOrder : runInBatches;
  let isWaiting = false;
  for (const actions of phases) {
    const { error } = await run(actions.length, async (index) => {
      const action = actions[index];
      if (action === undefined) return;
      const isDone = await carryOutOne(writes, { set, ...action }, action.kind);
      isWaiting ||= !isDone;
    });
    if (error !== undefined) return { error, isWaiting };
  }
  return { isWaiting };
}

/** False when it has to wait. Throws what was refused. */
async function carryOutOne(
  writes: PodWrites,
  holder: Holder,
  kind: PodAction['kind'],
): Promise<boolean> {
  switch (kind) {
    case 'create':
      if (hasClaimLeftOver(writes, holder)) return false;
      await tellFailure(writes, holder, 'Create', () => createClaims(writes, holder));
      await createPod(writes, holder);
      await tellFailure(writes, holder, 'Update', () => retainClaims(writes, holder));
      return true;
    case 'delete':
      await deletePod(writes, holder);
      return true;
    case 'create-claims':
      await createClaims(writes, holder);
      await tellFailure(writes, holder, 'Update', () => retainClaims(writes, holder));
      return true;
    case 'repair':
      await tellFailure(writes, holder, 'Update', async () => {
        await createClaims(writes, holder);
        await retainClaims(writes, holder);
        await podsOf(writes, holder).update(holder.pod, { signal: writes.signal });
      });
      tell(writes, holder, 'Update');
      return true;
    case 'keep':
      // COMPAT: told as a change of the pod, though only its claims have changed.
      if (await tellFailure(writes, holder, 'Update', () => retainClaims(writes, holder)))
        tell(writes, holder, 'Update');
      return true;
    case 'retain':
      await retainClaims(writes, holder);
      return true;
  }
}

type Verb = 'Create' | 'Update' | 'Delete';

function describe({ set, pod }: Holder, verb: Verb): string {
  return `${verb} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
}
function tell(writes: PodWrites, holder: Holder, verb: Verb): void {
  writes.tell('Normal', `Successful${verb}`, `${describe(holder, verb)} successful`);
}

async function tellFailure<T>(
  { tell: record, signal }: PodWrites,
  holder: Holder,
  verb: Verb,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!signal.aborted && !isSilent(error)) {
      const message = `${describe(holder, verb)} failed error: ${errorText(error)}`;
      record('Warning', `Failed${verb}`, message);
    }
    throw error;
  }
}

/** The cache was behind, or nothing is left to be done here. */
function isSilent(error: unknown): boolean {
  return (
    isStatusError(error, 'Conflict') ||
    isStatusError(error, 'AlreadyExists') ||
    isStatusError(error, 'NotFound') ||
    isNamespaceTerminating(error)
  );
}

function podsOf({ client }: PodWrites, { set }: Holder) {
  return client.resource<Pod>(podsResource).namespace(set.metadata.namespace ?? '');
}

async function createPod(writes: PodWrites, holder: Holder): Promise<void> {
  const { pending, key, signal } = writes;
  const created = await tellFailure(writes, holder, 'Create', () =>
    podsOf(writes, holder).create(holder.pod, { signal }),
  );
  pending.created(key, created);
  tell(writes, holder, 'Create');
}

async function deletePod(writes: PodWrites, holder: Holder): Promise<void> {
  const { pending, key, signal } = writes;
  const { name = '', uid = '' } = holder.pod.metadata;
  try {
    await tellFailure(writes, holder, 'Delete', () =>
      podsOf(writes, holder).delete(name, { preconditions: { uid }, signal }),
    );
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return;
    throw error;
  }
  pending.deleted(key, holder.pod);
  tell(writes, holder, 'Delete');
}

/** Resolves with the first error, after which nothing more is done. Never rejects. */
async function runInOrder(
  count: number,
  call: (index: number) => Promise<void>,
): Promise<{ readonly error?: unknown }> {
  try {
    for (let index = 0; index < count; index++) await call(index);
    return {};
  } catch (error) {
    return { error };
  }
}
