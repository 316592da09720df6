// An ObjectSource over storage: a map of all objects of a resource, kept in step by a watch, which
// the storage calls synchronously for every durable write.

import type { KubeObject } from '@keelson/apimachinery';
import type { ObjectChange, ObjectSource } from '../object-source.ts';
import type { Storage, StorageEvent } from '../storage/storage.ts';

/** Reads everything under the prefix once, then follows it until the signal is aborted. */
export async function createObjectSource<T extends KubeObject>(
  storage: Storage,
  keyPrefix: string,
  signal: AbortSignal,
): Promise<ObjectSource<T>> {
  const prefix = `${keyPrefix}/`;
  const byKey = new Map<string, T>();
  const byNamespace = new Map<string, Map<string, T>>();
  const subscribers = new Set<(change: ObjectChange<T>) => void>();
  const nameOf = (object: T) => object.metadata.name ?? '';
  const namespaceOf = (object: T) => object.metadata.namespace ?? '';
  const put = (object: T) => {
    const ns = namespaceOf(object);
    byKey.set(`${ns}/${nameOf(object)}`, object);
    let members = byNamespace.get(ns);
    if (members === undefined) byNamespace.set(ns, (members = new Map()));
    members.set(nameOf(object), object);
  };
  const drop = (object: T) => {
    const ns = namespaceOf(object);
    byKey.delete(`${ns}/${nameOf(object)}`);
    const members = byNamespace.get(ns);
    members?.delete(nameOf(object));
    if (members?.size === 0) byNamespace.delete(ns);
  };
  const apply = (event: StorageEvent) => {
    const object = event.entry.object as T;
    const previous = event.previous?.object as T | undefined;
    if (event.type === 'DELETED') drop(object);
    else put(object);
    for (const notify of subscribers) notify(previous === undefined ? { type: event.type, object } : { type: event.type, object, previous });
  };
  const follow = (revision: number): void => {
    storage.watch(prefix, {
      revision,
      signal,
      onEvents: (events) => events.forEach(apply),
      onEnd: () => {},
    });
  };
  const initial = await storage.list(prefix);
  for (const entry of initial.entries) put(entry.object as T);
  follow(initial.revision);
  return {
    get: (namespace, name) => byKey.get(`${namespace}/${name}`),
    list: (namespace) => (namespace === undefined ? [...byKey.values()] : [...(byNamespace.get(namespace)?.values() ?? [])]),
    subscribe(onChange) {
      subscribers.add(onChange);
      return () => subscribers.delete(onChange);
    },
  };
}
