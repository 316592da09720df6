// What an informer knows: objects by namespace and name, and by any index that was asked for.
// Readers share the objects, so nobody may change them.

import type { KubeObject } from '@keelson/apimachinery';

/** The values under which an object is found; cheap and pure. */
export type IndexFunction<T> = (object: T) => readonly string[];
export type Indexers<T> = Readonly<Record<string, IndexFunction<T>>>;

export interface ObjectStore<T extends KubeObject = KubeObject> {
  readonly size: number;
  /** `namespace` is empty for cluster-scoped objects. */
  get(namespace: string, name: string): T | undefined;
  /** All, or those of one namespace, in no particular order. */
  list(namespace?: string): readonly T[];
  /** Throws when there is no such index. */
  byIndex(index: string, value: string): readonly T[];
}

export interface MutableObjectStore<T extends KubeObject> extends ObjectStore<T> {
  /** Returns what was there before. */
  put(object: T): T | undefined;
  remove(namespace: string, name: string): T | undefined;
}

export function createObjectStore<T extends KubeObject>(
  indexers: Indexers<T> = {},
): MutableObjectStore<T> {
  const namespaces = new Map<string, Map<string, T>>();
  const indexes = Object.entries(indexers).map(([name, valuesOf]) => ({
    name,
    valuesOf,
    members: new Map<string, Set<T>>(),
  }));
  let size = 0;

  const take = (namespace: string, name: string): T | undefined => {
    const objects = namespaces.get(namespace);
    const old = objects?.get(name);
    if (objects === undefined || old === undefined) return undefined;
    objects.delete(name);
    if (objects.size === 0) namespaces.delete(namespace);
    for (const { valuesOf, members } of indexes) {
      for (const value of valuesOf(old)) {
        const set = members.get(value);
        set?.delete(old);
        if (set?.size === 0) members.delete(value);
      }
    }
    size--;
    return old;
  };

  return {
    get size() {
      return size;
    },
    get: (namespace, name) => namespaces.get(namespace)?.get(name),
    list(namespace) {
      if (namespace !== undefined) return [...(namespaces.get(namespace)?.values() ?? [])];
      return [...namespaces.values()].flatMap((objects) => [...objects.values()]);
    },
    byIndex(index, value) {
      const found = indexes.find((other) => other.name === index);
      if (found === undefined) throw new TypeError(`there is no index ${JSON.stringify(index)}`);
      return [...(found.members.get(value) ?? [])];
    },
    put(object) {
      const { namespace = '', name = '' } = object.metadata;
      const old = take(namespace, name);
      let objects = namespaces.get(namespace);
      if (objects === undefined) namespaces.set(namespace, (objects = new Map()));
      objects.set(name, object);
      for (const { valuesOf, members } of indexes) {
        for (const value of valuesOf(object)) {
          const set = members.get(value);
          if (set === undefined) members.set(value, new Set([object]));
          else set.add(object);
        }
      }
      size++;
      return old;
    },
    remove: take,
  };
}
