// An ObjectSource over storage: a map of all entries of a resource, kept in step by a watch, which
// the storage calls synchronously for every durable write. Objects are decoded when somebody asks
// for them, so that a full store costs little at start.

import type { KubeObject } from '@keelson/apimachinery';
import type { ObjectChange, ObjectSource } from '../object-source.ts';
import type { Storage, StorageEvent, StoredEntry } from '../storage/storage.ts';

/** Reads the keys under the prefix once, then follows them until the signal is aborted. */
export async function createObjectSource<T extends KubeObject>(
  storage: Storage,
  keyPrefix: string,
  signal: AbortSignal,
): Promise<ObjectSource<T>> {
  const prefix = `${keyPrefix}/`;
  const byNamespace = new Map<string, Map<string, StoredEntry>>();
  const subscribers = new Set<(change: ObjectChange<T>) => void>();
  const locate = (key: string): [namespace: string, name: string] => {
    const rest = key.slice(prefix.length);
    const slash = rest.indexOf('/');
    return slash < 0 ? ['', rest] : [rest.slice(0, slash), rest.slice(slash + 1)];
  };
  const put = (entry: StoredEntry) => {
    const [namespace, name] = locate(entry.key);
    let members = byNamespace.get(namespace);
    if (members === undefined) byNamespace.set(namespace, (members = new Map()));
    members.set(name, entry);
  };
  const drop = (entry: StoredEntry) => {
    const [namespace, name] = locate(entry.key);
    const members = byNamespace.get(namespace);
    members?.delete(name);
    if (members?.size === 0) byNamespace.delete(namespace);
  };
  const follow = (event: StorageEvent) => {
    if (event.type === 'DELETED') drop(event.entry);
    else put(event.entry);
    if (subscribers.size === 0) return;
    const change: ObjectChange<T> = {
      type: event.type,
      object: event.entry.object as T,
      ...(event.previous === undefined ? {} : { previous: event.previous.object as T }),
    };
    for (const notify of subscribers) notify(change);
  };
  const initial = await storage.list(prefix);
  for (const entry of initial.entries) put(entry);
  storage.watch(prefix, {
    revision: initial.revision,
    signal,
    onEvents: (events) => events.forEach(follow),
    // The views of a store that has ended answer with its last state; writes fail by themselves.
    onEnd: () => {},
  });
  const objectsOf = (members: ReadonlyMap<string, StoredEntry> | undefined): T[] =>
    members === undefined ? [] : Array.from(members.values(), (entry) => entry.object as T);
  return {
    get: (namespace, name) => byNamespace.get(namespace)?.get(name)?.object as T | undefined,
    list: (namespace) =>
      namespace === undefined
        ? [...byNamespace.values()].flatMap(objectsOf)
        : objectsOf(byNamespace.get(namespace)),
    subscribe(onChange) {
      subscribers.add(onChange);
      return () => void subscribers.delete(onChange);
    },
  };
}
