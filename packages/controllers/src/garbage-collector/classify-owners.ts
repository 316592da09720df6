// What the owners of an object are worth: *solid* ones keep it, *dangling* ones do not exist, and
// those *waiting* are being deleted in the foreground and wait for their dependents.

import type { OwnerReference } from '@keelson/apimachinery';
import type { AbsentOwners } from './absent-owners.ts';
import { foregroundFinalizer } from './dependency-graph.ts';
import type { LiveObjects } from './live-objects.ts';
import { ownerOf, type ObjectReference } from './object-reference.ts';

export interface ClassifiedOwners {
  readonly solid: readonly OwnerReference[];
  readonly dangling: readonly OwnerReference[];
  readonly waiting: readonly OwnerReference[];
}

/**
 * Objects of the cluster cannot have owners in a namespace: which one would it be? No retry helps.
 */
export class NamespacedOwnerError extends Error {
  constructor() {
    super('cluster-scoped objects cannot refer to namespaced owners');
    this.name = 'NamespacedOwnerError';
  }
}

export interface OwnerLookup {
  readonly objects: LiveObjects;
  readonly absent: AbsentOwners;
}

/** Throws UnknownKindError, NamespacedOwnerError and what requests throw. */
export async function classifyOwners(
  lookup: OwnerLookup,
  dependent: ObjectReference,
  owners: readonly OwnerReference[],
  signal: AbortSignal,
): Promise<ClassifiedOwners> {
  const solid: OwnerReference[] = [];
  const dangling: OwnerReference[] = [];
  const waiting: OwnerReference[] = [];
  for (const owner of owners) {
    const list = { solid, dangling, waiting }[await stateOf(lookup, dependent, owner, signal)];
    list.push(owner);
  }
  return { solid, dangling, waiting };
}

async function stateOf(
  { objects, absent }: OwnerLookup,
  dependent: ObjectReference,
  owner: OwnerReference,
  signal: AbortSignal,
): Promise<keyof ClassifiedOwners> {
  const inCluster = ownerOf(owner, '');
  const inNamespace = ownerOf(owner, dependent.namespace);
  if (absent.has(inCluster) || absent.has(inNamespace)) return 'dangling';
  const { namespaced } = await objects.resourceOf(inNamespace, signal);
  if (namespaced && dependent.namespace === '') throw new NamespacedOwnerError();
  const reference = namespaced ? inNamespace : inCluster;
  const live = await objects.get(reference, signal);
  if (live === undefined || live.metadata.uid !== owner.uid) {
    absent.add(reference);
    return 'dangling';
  }
  const { deletionTimestamp, finalizers = [] } = live.metadata;
  const isWaiting = deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer);
  return isWaiting ? 'waiting' : 'solid';
}
