// An informer: a local copy of a resource that follows the server, and calls on every change. What
// a handler sees is already in the store. Nothing is delivered twice without a change: there is no
// periodic resync.

import type { Clock, KubeObject, Random } from '@keelson/apimachinery';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import type { ResourceClient } from '../resource-client.ts';
import type { SelectionOptions } from '../resource-options.ts';
import { untilAborted } from '../linked-abort.ts';
import {
  createObjectStore,
  type IndexFunction,
  type Indexers,
  type ObjectStore,
} from './object-store.ts';
import { reflect } from './reflector.ts';

export interface InformerHandler<T extends KubeObject = KubeObject> {
  /** `isInitial`: it was there when the informer, or this handler, began. */
  onAdd?(object: T, isInitial: boolean): void;
  onUpdate?(object: T, old: T): void;
  /** The last state that is known; changes just before the deletion may be missing. */
  onDelete?(object: T): void;
}

export interface Informer<T extends KubeObject = KubeObject> {
  readonly store: ObjectStore<T>;
  /** The store holds what the server had at some time since the start. */
  hasSynced(): boolean;
  /** Resolves when `hasSynced`; rejects with the signal's reason. */
  synced(signal?: AbortSignal): Promise<void>;
  /** Objects that are there are added at once. Returns what takes the handler off again. */
  addHandler(handler: InformerHandler<T>): () => void;
  /**
   * Objects are found by `store.byIndex(index, value)` from now on. Those who share the informer
   * share its indexes: one name is one function.
   */
  addIndex(index: string, valuesOf: IndexFunction<T>): void;
}

export interface InformerOptions<T extends KubeObject> {
  readonly resource: ResourceClient<T>;
  readonly selection?: SelectionOptions;
  readonly indexers?: Indexers<T>;
  /** Cuts an object down before it is stored; may change and return it. */
  readonly transform?: (object: T) => T;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Told when a list or watch fails, or a handler throws; the informer goes on in either case. */
  readonly onError?: (error: unknown) => void;
  /** Freezes stored objects deeply, so that a change to one throws: for development and tests. */
  readonly freeze?: boolean;
}

/** Runs until the signal is aborted. */
export function startInformer<T extends KubeObject>(
  options: InformerOptions<T>,
  signal: AbortSignal,
): Informer<T> {
  const { resource, clock = systemClock, random = systemRandom, onError = () => {} } = options;
  const store = createObjectStore<T>(options.indexers);
  const handlers = new Set<InformerHandler<T>>();
  let isSynced = false;
  let announceSync = () => {};
  const firstSync = new Promise<void>((resolve) => (announceSync = resolve));

  const tell = (call: (handler: InformerHandler<T>) => void) => {
    for (const handler of handlers) {
      try {
        call(handler);
      } catch (error) {
        onError(error);
      }
    }
  };
  const prepare = (object: T): T => {
    const cut = options.transform?.(object) ?? object;
    return options.freeze === true ? deepFreeze(cut) : cut;
  };
  const put = (object: T, isInitial: boolean) => {
    const stored = prepare(object);
    const old = store.put(stored);
    if (old === undefined) return tell((handler) => handler.onAdd?.(stored, isInitial));
    if (old.metadata.resourceVersion === stored.metadata.resourceVersion) return;
    // Another object of the same name: the first one's deletion went by unseen.
    if (old.metadata.uid !== stored.metadata.uid) {
      tell((handler) => handler.onDelete?.(old));
      return tell((handler) => handler.onAdd?.(stored, isInitial));
    }
    tell((handler) => handler.onUpdate?.(stored, old));
  };
  const remove = (object: T) => {
    const { namespace = '', name = '' } = object.metadata;
    if (store.remove(namespace, name) === undefined) return;
    tell((handler) => handler.onDelete?.(object));
  };
  const replace = (objects: readonly T[]) => {
    const there = new Set(objects.map(nameOf));
    for (const old of store.list()) if (!there.has(nameOf(old))) remove(old);
    for (const object of objects) put(object, !isSynced);
    isSynced = true;
    announceSync();
  };

  const sink = {
    replace,
    apply: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T) =>
      type === 'DELETED' ? remove(prepare(object)) : put(object, false),
  };
  const { selection = {} } = options;
  void reflect({ resource, selection, clock, random, onError }, sink, signal);
  return {
    store,
    hasSynced: () => isSynced,
    synced: (waiting) => untilAborted(firstSync, waiting),
    addHandler(handler) {
      handlers.add(handler);
      for (const object of store.list()) handler.onAdd?.(object, true);
      return () => void handlers.delete(handler);
    },
    addIndex: (index, valuesOf) => store.addIndex(index, valuesOf),
  };
}

function nameOf({ metadata: { namespace = '', name = '' } }: KubeObject): string {
  return `${namespace}/${name}`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
