// Every write of some kinds, in the order in which the server made them, with what stood there
// before. Watches bring each kind by itself; revisions put them in one order again.

import type { JsonObject, KubeObject } from '@keelson/apimachinery';
import { idOf, keyOf, served } from '../look.ts';
import type { Life } from '../life.ts';

export interface Moment {
  /** `group/resource`. */
  readonly id: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  /** What was there before the write. */
  readonly before: KubeObject | undefined;
}

/** What is there after the moment. */
export interface Scene {
  of<T extends KubeObject = KubeObject & JsonObject>(id: string): readonly T[];
}

export interface History {
  /** Calls back for each write since the last time, in order. */
  tell(each: (moment: Moment, scene: Scene) => void): void;
  /** Goes on with the server that is there now, from where the one before ended. */
  open(): void;
  close(): void;
}

/** Of the kinds with these ids, since the revision `from`; nothing is heard until it is open. */
export function followHistory(life: Life, ids: readonly string[], from: string): History {
  const definitions = served.filter((one) => ids.includes(idOf(one)));
  const scenes = new Map(definitions.map((one) => [idOf(one), new Map<string, KubeObject>()]));
  let pending: Omit<Moment, 'before'>[] = [];
  let last = Number(from);
  let watching = new AbortController();

  const follow = async (definition: (typeof definitions)[number], signal: AbortSignal) => {
    const resource = life.client.resource(definition);
    try {
      for await (const { type, object } of resource.watch({
        resourceVersion: String(last),
        signal,
      })) {
        if (type === 'BOOKMARK') continue;
        pending.push({ id: idOf(definition), type, object });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  return {
    tell(each) {
      const told = pending.toSorted((a, b) => revisionOf(a) - revisionOf(b));
      pending = [];
      for (const moment of told) {
        if (revisionOf(moment) <= last) throw new Error('a write came after a later one');
        last = revisionOf(moment);
        const objects = scenes.get(moment.id) ?? new Map<string, KubeObject>();
        const key = keyOf(moment.object);
        const before = objects.get(key);
        if (moment.type === 'DELETED') objects.delete(key);
        else objects.set(key, moment.object);
        each(
          { ...moment, before },
          {
            of: <T extends KubeObject>(id: string) =>
              [...(scenes.get(id)?.values() ?? [])] as unknown as readonly T[],
          },
        );
      }
    },
    open() {
      watching = new AbortController();
      const { signal } = watching;
      for (const definition of definitions) void follow(definition, signal);
    },
    close: () => watching.abort(),
  };
}

function revisionOf({ object }: { readonly object: KubeObject }): number {
  return Number(object.metadata.resourceVersion);
}
