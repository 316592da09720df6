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
  /** Finds objects by further values from now on; nothing happens when the index is there. */
  addIndex(index: string, valuesOf: IndexFunction<T>): void;
}

export function createObjectStore<T extends KubeObject>(
  indexers: Indexers<T> = {},
): MutableObjectStore<T> {
  const namespaces = new Map<string, Map<string, T>>();
  const indexes = Object.entries(indexers).map(([name, valuesOf]) => createIndex(name, valuesOf));
  let size = 0;

  const take = (namespace: string, name: string): T | undefined => {
    const objects = namespaces.get(namespace);
    const old = objects?.get(name);
    if (objects === undefined || old === undefined) return undefined;
    objects.delete(name);
    if (objects.size === 0) namespaces.delete(namespace);
    for (const index of indexes) index.remove(old);
    size--;
    return old;
  };

  const list = (namespace?: string): T[] => {
    if (namespace !== undefined) return [...(namespaces.get(namespace)?.values() ?? [])];
    return [...namespaces.values()].flatMap((objects) => [...objects.values()]);
  };

  return {
    get size() {
      return size;
    },
    get: (namespace, name) => namespaces.get(namespace)?.get(name),
    list,
    byIndex(index, value) {
      const found = indexes.find((other) => other.name === index);
      if (found === undefined) throw new TypeError(`there is no index ${JSON.stringify(index)}`);
      return found.get(value);
    },
    put(object) {
      const { namespace = '', name = '' } = object.metadata;
      const old = take(namespace, name);
      let objects = namespaces.get(namespace);
      if (objects === undefined) namespaces.set(namespace, (objects = new Map()));
      objects.set(name, object);
      for (const index of indexes) index.put(object);
      size++;
      return old;
    },
    remove: take,
    addIndex(name, valuesOf) {
      if (indexes.some((other) => other.name === name)) return;
      const index = createIndex(name, valuesOf);
      for (const object of list()) index.put(object);
      indexes.push(index);
    },
  };
}

interface Index<T> {
  readonly name: string;
  put(object: T): void;
  remove(object: T): void;
  get(value: string): T[];
}

function createIndex<T>(name: string, valuesOf: IndexFunction<T>): Index<T> {
  const members = new Map<string, Set<T>>();
  return {
    name,
    put(object) {
      for (const value of valuesOf(object)) {
        const set = members.get(value);
        if (set === undefined) members.set(value, new Set([object]));
        else set.add(object);
      }
    },
    remove(object) {
      for (const value of valuesOf(object)) {
        const set = members.get(value);
        set?.delete(object);
        if (set?.size === 0) members.delete(value);
      }
    },
    get: (value) => [...(members.get(value) ?? [])],
  };
}
