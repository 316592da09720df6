// The object is deleted and its dependents are to stay: they lose their reference to it, then it
// loses the `orphan` finalizer that kept it.

import { isStatusError, nextTurn } from '@keelson/apimachinery';
import { withoutOwners } from './attempt-to-delete.ts';
import { orphanFinalizer, type GraphNode } from './dependency-graph.ts';
import type { LiveObjects } from './live-objects.ts';
import type { ObjectReference } from './object-reference.ts';

/** Dependents that are written at the same time. */
const concurrency = 8;
/** Others write too; after so many tries in vain the whole attempt is made again later. */
const conflictTriesMax = 5;

/** Throws to be called again later. */
export async function attemptToOrphan(
  objects: LiveObjects,
  node: GraphNode,
  signal: AbortSignal,
): Promise<void> {
  const { identity } = node;
  const dependents = [...node.dependents].map((dependent) => dependent.identity);
  for (let i = 0; i < dependents.length; i += concurrency) {
    const some = dependents.slice(i, i + concurrency);
    await Promise.all(some.map((dependent) => release(objects, dependent, identity.uid, signal)));
    await nextTurn();
  }
  await retryConflicts(async () => {
    const live = await objects.get(identity, signal);
    const finalizers = live?.metadata.finalizers ?? [];
    if (live?.metadata.uid !== identity.uid || !finalizers.includes(orphanFinalizer)) return;
    const rest = finalizers.filter((finalizer) => finalizer !== orphanFinalizer);
    await objects.patchMetadata(identity, live, { finalizers: rest }, signal);
  });
}

async function release(
  objects: LiveObjects,
  dependent: ObjectReference,
  ownerUid: string,
  signal: AbortSignal,
): Promise<void> {
  await retryConflicts(async () => {
    const live = await objects.get(dependent, signal);
    if (live?.metadata.uid !== dependent.uid) return;
    const owners = live.metadata.ownerReferences ?? [];
    const ownerReferences = withoutOwners(live, new Set([ownerUid]));
    if (ownerReferences.length === owners.length) return;
    await objects.patchMetadata(dependent, live, { ownerReferences }, signal);
  });
}

async function retryConflicts(attempt: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return;
      if (!isStatusError(error, 'Conflict') || tries >= conflictTriesMax) throw error;
    }
  }
}
