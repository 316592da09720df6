// The requests that the garbage collector makes. It reads an object anew before it acts on it, and
// every write carries the uid or the resourceVersion of what it has read, so that an object which
// was replaced or changed meanwhile is never hit.

import { isStatusError, jsonEqual, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import type { Client, DiscoveredResource } from '@keelson/client';
import type { ObjectReference } from './object-reference.ts';
import { UnknownKindError, type ResourceMapping } from '../machinery/resource-mapping.ts';

export type Propagation = 'Orphan' | 'Background' | 'Foreground';

export interface LiveObjects {
  resourceOf(reference: ObjectReference, signal: AbortSignal): Promise<DiscoveredResource>;
  /** Undefined when there is no object of that name. Throws UnknownKindError. */
  get(reference: ObjectReference, signal: AbortSignal): Promise<KubeObject | undefined>;
  /**
   * Changes metadata of the object as it was read; rejects with Conflict when it is not that any
   * more.
   */
  patchMetadata(
    reference: ObjectReference,
    live: KubeObject,
    metadata: {
      finalizers?: string[];
      ownerReferences?: KubeObject['metadata']['ownerReferences'];
    },
    signal: AbortSignal,
  ): Promise<void>;
  /** Deletes the object as it was read; one that is gone is fine. */
  delete(
    reference: ObjectReference,
    live: KubeObject,
    propagation: Propagation,
    signal: AbortSignal,
  ): Promise<void>;
}

export function createLiveObjects(client: Client, mapping: ResourceMapping): LiveObjects {
  const objectsOf = async (reference: ObjectReference, signal: AbortSignal) => {
    const resource = await mapping.resourceOf(reference, signal);
    const namespace = resource.namespaced ? reference.namespace : '';
    return client.metadata(resource).namespace(namespace);
  };
  const get = async (reference: ObjectReference, signal: AbortSignal) => {
    const objects = await objectsOf(reference, signal);
    try {
      return await objects.get(reference.name, { signal });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      // SECURITY: an answer about the path, not about the object, says nothing of the object: its
      // definition may be about to come back.
      if (error.status.details?.name === reference.name) return undefined;
      mapping.forget();
      throw new UnknownKindError(reference.kind, { version: reference.apiVersion });
    }
  };
  return {
    resourceOf: (reference, signal) => mapping.resourceOf(reference, signal),
    get,
    async patchMetadata(reference, live, metadata, signal) {
      const objects = await objectsOf(reference, signal);
      const { uid, resourceVersion } = live.metadata;
      const patch = { metadata: { uid, resourceVersion, ...metadata } };
      await objects.patch(reference.name, 'merge', patch as unknown as JsonValue, { signal });
    },
    async delete(reference, live, propagation, signal) {
      const objects = await objectsOf(reference, signal);
      const { uid, resourceVersion } = live.metadata;
      const remove = (preconditions: { uid?: string; resourceVersion?: string }) =>
        objects.delete(reference.name, { propagationPolicy: propagation, preconditions, signal });
      try {
        await remove({ uid, resourceVersion });
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return;
        if (!isStatusError(error, 'Conflict')) throw error;
        const now = await get(reference, signal);
        if (now === undefined) return;
        // Changed, but neither its identity nor its owners: what was decided still holds.
        if (now.metadata.uid !== uid || !haveSameOwners(now, live)) throw error;
        await remove({ uid });
      }
    },
  };
}

function haveSameOwners(a: KubeObject, b: KubeObject): boolean {
  const ownersOf = ({ metadata }: KubeObject) =>
    (metadata.ownerReferences ?? []) as unknown as JsonValue;
  return jsonEqual(ownersOf(a), ownersOf(b));
}
