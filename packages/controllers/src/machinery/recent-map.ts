// A map with a bound: what was put there longest ago is forgotten first.

export interface RecentMap<V> {
  get(key: string): V | undefined;
  /** The key counts as new again. */
  put(key: string, value: V): void;
}

export function createRecentMap<V>(sizeMax: number): RecentMap<V> {
  const entries = new Map<string, V>();
  return {
    get: (key) => entries.get(key),
    put(key, value) {
      entries.delete(key);
      entries.set(key, value);
      const oldest = entries.keys().next();
      if (entries.size > sizeMax && oldest.done !== true) entries.delete(oldest.value);
    },
  };
}
