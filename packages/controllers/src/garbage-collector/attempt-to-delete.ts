// Should this object be there still? Decided from what the server says now:
//
//   an owner is solid             it stays; references to owners that are not are taken off
//   an owner waits, it has        it is deleted in the foreground too, so that the owner goes
//   dependents of its own         last; in a circle, one of them no longer blocks its owner
//   otherwise                     it is deleted, the way that its own finalizers say
//   it is itself being deleted    it goes when no dependent blocks it; those that do are
//   in the foreground             looked at
//
// Objects without owners are never touched.

import type { KubeObject, OwnerReference } from '@keelson/apimachinery';
import { classifyOwners, type ClassifiedOwners, type OwnerLookup } from './classify-owners.ts';
import {
  foregroundFinalizer,
  orphanFinalizer,
  type DependencyGraph,
  type GraphNode,
} from './dependency-graph.ts';
import type { Propagation } from './live-objects.ts';

export interface DeletionDependencies extends OwnerLookup {
  readonly graph: DependencyGraph;
  attemptToDelete(uid: string): void;
}

/** True when it asked for a deletion. Throws to be called again later. */
export async function attemptToDelete(
  dependencies: DeletionDependencies,
  node: GraphNode,
  signal: AbortSignal,
): Promise<boolean> {
  const { objects, graph } = dependencies;
  // It goes by itself; what remains is to wait for its dependents, if it does.
  if (node.isBeingDeleted && !node.isDeletingDependents) return false;
  const { identity } = node;
  const live = await objects.get(identity, signal);
  if (live === undefined || live.metadata.uid !== identity.uid) {
    graph.removeAbsent(identity);
    return false;
  }
  if (node.isDeletingDependents) return deleteDependentsFirst(dependencies, node, live, signal);

  const owners = live.metadata.ownerReferences ?? [];
  if (owners.length === 0) return false;
  const classified = await classifyOwners(dependencies, identity, owners, signal);
  if (classified.solid.length > 0) return keep(dependencies, node, { live, classified }, signal);
  let propagation: Propagation;
  if (classified.waiting.length > 0 && node.dependents.size > 0) {
    await breakCircle(dependencies, node, live, signal);
    propagation = 'Foreground';
  } else {
    const finalizers = live.metadata.finalizers ?? [];
    if (finalizers.includes(orphanFinalizer)) propagation = 'Orphan';
    else if (finalizers.includes(foregroundFinalizer)) propagation = 'Foreground';
    else propagation = 'Background';
  }
  await objects.delete(identity, live, propagation, signal);
  return true;
}

async function keep(
  { objects }: DeletionDependencies,
  node: GraphNode,
  { live, classified }: { live: KubeObject; classified: ClassifiedOwners },
  signal: AbortSignal,
): Promise<false> {
  const { dangling, waiting } = classified;
  if (dangling.length === 0 && waiting.length === 0) return false;
  const gone = new Set([...dangling, ...waiting].map(({ uid }) => uid));
  const ownerReferences = withoutOwners(live, gone);
  await objects.patchMetadata(node.identity, live, { ownerReferences }, signal);
  return false;
}

/** Two objects that wait for each other in the foreground would wait for ever. */
async function breakCircle(
  { objects }: DeletionDependencies,
  node: GraphNode,
  live: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  if (![...node.dependents].some((dependent) => dependent.isDeletingDependents)) return;
  const owners = live.metadata.ownerReferences ?? [];
  if (!owners.some((owner) => owner.blockOwnerDeletion === true)) return;
  const ownerReferences = owners.map((owner) =>
    owner.blockOwnerDeletion === true ? { ...owner, blockOwnerDeletion: false } : owner,
  );
  await objects.patchMetadata(node.identity, live, { ownerReferences }, signal);
}

async function deleteDependentsFirst(
  { objects, attemptToDelete: enqueue }: DeletionDependencies,
  node: GraphNode,
  live: KubeObject,
  signal: AbortSignal,
): Promise<boolean> {
  const blocking = [...node.dependents].filter(({ owners }) =>
    owners.some(
      ({ uid, blockOwnerDeletion }) => uid === node.identity.uid && blockOwnerDeletion === true,
    ),
  );
  for (const dependent of blocking)
    if (!dependent.isDeletingDependents) enqueue(dependent.identity.uid);
  if (blocking.length > 0) return false;
  const finalizers = live.metadata.finalizers ?? [];
  if (!finalizers.includes(foregroundFinalizer)) return false;
  const rest = finalizers.filter((finalizer) => finalizer !== foregroundFinalizer);
  await objects.patchMetadata(node.identity, live, { finalizers: rest }, signal);
  return rest.length === 0;
}

export function withoutOwners(live: KubeObject, uids: ReadonlySet<string>): OwnerReference[] {
  return (live.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.has(uid));
}
