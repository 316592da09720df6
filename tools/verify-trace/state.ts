// The objects of a replayed log: by view, namespace and name.

import type { StoredObject } from './recorded-log.ts';

export interface State {
  apply(view: string, change: string, object: StoredObject): void;
  get(view: string, namespace: string, name: string): StoredObject | undefined;
  all(view: string): Iterable<StoredObject>;
}

export function createState(): State {
  const views = new Map<string, Map<string, StoredObject>>();
  const keyOf = (namespace: string | undefined, name: string | undefined) =>
    `${namespace ?? ''}/${name ?? ''}`;
  const open = (view: string) => {
    const known = views.get(view) ?? new Map<string, StoredObject>();
    views.set(view, known);
    return known;
  };
  return {
    apply(view, change, object) {
      const key = keyOf(object.metadata.namespace, object.metadata.name);
      if (change === 'DELETED') open(view).delete(key);
      else open(view).set(key, object);
    },
    get: (view, namespace, name) => open(view).get(keyOf(namespace, name)),
    all: (view) => open(view).values(),
  };
}
