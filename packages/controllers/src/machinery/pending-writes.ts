// What a controller has written and its informer has not shown yet. As long as something is
// missing, the informer's state is too old to count with: a controller that went by it would create
// the same pods again. (Kubernetes calls this expectations.)

import type { Clock, KubeObject } from '@keelson/apimachinery';
import type { Informer } from '@keelson/client';

export interface PendingWrites {
  /** Whether the informer shows all that was written for the owner. */
  areSeen(owner: string): boolean;
  created(owner: string, object: KubeObject): void;
  deleted(owner: string, object: KubeObject): void;
  /** The owner is gone. */
  forget(owner: string): void;
}

/** After that a write is taken for lost, so that no owner waits for ever. Kubernetes: 5 minutes. */
const waitMaxMs = 300_000;

interface Awaited {
  readonly object: KubeObject;
  readonly isDeletion: boolean;
  readonly sinceMs: number;
}

export function createPendingWrites(
  informer: Pick<Informer, 'store'>,
  clock: Clock,
): PendingWrites {
  const owners = new Map<string, Awaited[]>();
  const isSeen = ({ object, isDeletion, sinceMs }: Awaited): boolean => {
    if (clock.monotonic() - sinceMs > waitMaxMs) return true;
    const { namespace = '', name = '', uid } = object.metadata;
    const known = informer.store.get(namespace, name);
    const isSame = known?.metadata.uid === uid;
    return isDeletion ? !isSame || known?.metadata.deletionTimestamp !== undefined : isSame;
  };
  const add = (owner: string, object: KubeObject, isDeletion: boolean) => {
    const awaited: Awaited = { object, isDeletion, sinceMs: clock.monotonic() };
    if (isSeen(awaited)) return;
    const list = owners.get(owner);
    if (list === undefined) owners.set(owner, [awaited]);
    else list.push(awaited);
  };
  return {
    areSeen(owner) {
      const left = owners.get(owner)?.filter((awaited) => !isSeen(awaited)) ?? [];
      if (left.length === 0) owners.delete(owner);
      else owners.set(owner, left);
      return left.length === 0;
    },
    created: (owner, object) => add(owner, object, false),
    deleted: (owner, object) => add(owner, object, true),
    forget: (owner) => void owners.delete(owner),
  };
}
