// Storage as one served version of a custom resource sees it. Objects lie in the version that was
// the storage version when they were written, under the schema of that time; here they are read as
// objects of one version under today's schemas, and written in today's storage version:
//
//   read    fields that the schema of the object's own version no longer has are dropped, defaults
//           that it has by now are added, then the object is converted to the served version
//   write   the object is converted to the storage version
//
// INVARIANT: an entry is converted at most once for a version, whoever reads it and however often:
// watchers and lists share the result. Events keep their order, however long a conversion takes.

import { copyJson, asJson, jsonEqual, nextTurn, type KubeObject } from '@keelson/apimachinery';
import { StoredObject } from '../../../storage/memory/stored-object.ts';
import {
  StorageError,
  type Revision,
  type Storage,
  type StorageEvent,
  type StoredEntry,
  type WatchHandle,
  type WatchOptions,
} from '../../../storage/storage.ts';

export interface ServedForm {
  /** `example.com/v1`, the version that readers see. */
  readonly apiVersion: string;
  /** Later entries were written under the schemas of now. */
  readonly settledAfter: Revision;
  /** True when there never was another version, so that nobody has to look. */
  readonly isOnlyVersion: boolean;
  /** Drops and defaults, in place, by the schema of the object's own version. */
  settle(object: KubeObject): void;
  /** To the served version; new objects, in the same order. */
  toServed(objects: readonly KubeObject[]): Promise<KubeObject[]>;
  toStored(object: KubeObject): Promise<KubeObject>;
  /** Aborted when the version is no longer served as it was; watches end then. */
  readonly retired: AbortSignal;
}

/** A few milliseconds; after a change of the schema every object is looked at once. */
const settledPerTurn = 100;
/** Events that may wait for a slow conversion before a watch is ended. */
const waitingEventsMax = 10_000;

export function createConvertedStorage(base: Storage, form: ServedForm): Storage {
  const views = createViews(form);
  const viewOf = async (entry: StoredEntry) => (await views.all([entry]))[0] ?? entry;
  return {
    ...base,
    revision: () => base.revision(),
    count: (prefix) => base.count(prefix),
    compact: (revision) => base.compact(revision),
    compactedRevision: () => base.compactedRevision(),
    close: () => base.close(),
    async create(key, object) {
      return viewOf(await base.create(key, await form.toStored(object)));
    },
    async get(key) {
      const entry = await base.get(key);
      return entry && viewOf(entry);
    },
    async guaranteedUpdate(key, update) {
      const entry = await base.guaranteedUpdate(key, async (current) => {
        const view = current && (await viewOf(current));
        const next = await update(view);
        if (next === undefined) return undefined;
        return next === view?.object ? current?.object : form.toStored(next);
      });
      return entry && viewOf(entry);
    },
    async delete(key, preconditions) {
      return viewOf(await base.delete(key, preconditions));
    },
    async list(prefix, options) {
      const result = await base.list(prefix, options);
      return { ...result, entries: await views.all(result.entries) };
    },
    watch(prefix, options) {
      const watch = form.isOnlyVersion ? watchSettled : watchConverted;
      return watch(base, views, { prefix, options: untilRetired(options, form.retired) });
    },
  };
}

interface Views {
  /** The entry as it is served, when that needs no waiting. */
  now(entry: StoredEntry): StoredEntry | undefined;
  all(entries: readonly StoredEntry[]): Promise<readonly StoredEntry[]>;
}

function createViews(form: ServedForm): Views {
  const made = new WeakMap<StoredEntry, StoredEntry>();
  const coming = new WeakMap<StoredEntry, Promise<StoredEntry>>();
  const keep = (entry: StoredEntry, view: StoredEntry) => {
    made.set(entry, view);
    return view;
  };
  const now = (entry: StoredEntry): StoredEntry | undefined => {
    const isSettled = entry.revision > form.settledAfter;
    if (isSettled && form.isOnlyVersion) return entry;
    const known = made.get(entry);
    if (known !== undefined) return known;
    if (entry.object.apiVersion !== form.apiVersion) return undefined;
    return isSettled ? entry : keep(entry, settledView(entry, form));
  };
  const convert = (entries: readonly StoredEntry[]) => {
    const settled = entries.map((entry) =>
      entry.revision > form.settledAfter ? entry.object : settledObject(entry.object, form),
    );
    const converted = form.toServed(settled);
    entries.forEach((entry, i) => {
      const view = converted.then((objects) => keep(entry, viewWith(entry, objects[i])));
      coming.set(entry, view);
      // A conversion that failed is tried again for whoever asks next.
      view.catch(() => {}).finally(() => coming.delete(entry));
    });
  };
  return {
    now,
    async all(entries) {
      const ready: (StoredEntry | undefined)[] = [];
      for (const entry of entries) {
        ready.push(now(entry));
        const mayBeNew = entry.revision <= form.settledAfter;
        if (mayBeNew && ready.length % settledPerTurn === 0) await nextTurn();
      }
      const missing = entries.filter((entry, i) => ready[i] === undefined && !coming.has(entry));
      if (missing.length > 0) convert(missing);
      else if (ready.every((view) => view !== undefined)) return ready;
      return Promise.all(entries.map((entry, i) => ready[i] ?? coming.get(entry) ?? entry));
    },
  };
}

function settledObject(object: KubeObject, form: ServedForm): KubeObject {
  const copy = copyJson(object);
  form.settle(copy);
  return copy;
}

function settledView(entry: StoredEntry, form: ServedForm): StoredEntry {
  const object = settledObject(entry.object, form);
  return jsonEqual(asJson(object), asJson(entry.object)) ? entry : viewWith(entry, object);
}

function viewWith(entry: StoredEntry, object: KubeObject = entry.object): StoredEntry {
  const { key, revision } = entry;
  return new StoredObject({ key, revision, object, freeze: Object.isFrozen(entry.object) });
}

/** The watch of a client, ended when the version is retired. */
function untilRetired(options: WatchOptions, retired: AbortSignal): WatchOptions {
  const stop = new AbortController();
  const onRetired = () => {
    end();
    options.onEnd(new StorageError('closed', 'the resource is no longer served as it was'));
  };
  const end = () => {
    stop.abort();
    options.signal.removeEventListener('abort', end);
    retired.removeEventListener('abort', onRetired);
  };
  options.signal.addEventListener('abort', end, { once: true });
  retired.addEventListener('abort', onRetired, { once: true });
  if (options.signal.aborted) end();
  return { ...options, signal: stop.signal };
}

interface Watch {
  readonly prefix: string;
  readonly options: WatchOptions;
}

/** Objects of one version never have to wait for anything. */
function watchSettled(base: Storage, views: Views, { prefix, options }: Watch): WatchHandle {
  return base.watch(prefix, {
    ...options,
    onEvents: (events, revision) =>
      options.onEvents(
        events.map((event) => eventNow(event, views) ?? event),
        revision,
      ),
  });
}

function watchConverted(base: Storage, views: Views, { prefix, options }: Watch): WatchHandle {
  const failed = new AbortController();
  let tail: Promise<void> | undefined;
  let waiting = 0;
  let delivered = options.revision ?? base.revision();
  const fail = (why: string) => {
    if (failed.signal.aborted || options.signal.aborted) return;
    failed.abort();
    options.onEnd(new StorageError('failed', why));
  };
  const deliver = (events: readonly StorageEvent[], revision: Revision) => {
    if (failed.signal.aborted || options.signal.aborted) return;
    options.onEvents(events, revision);
    delivered = revision;
  };
  const handle = base.watch(prefix, {
    ...options,
    signal: AbortSignal.any([options.signal, failed.signal]),
    onEvents(events, revision) {
      const ready = tail === undefined ? events.map((event) => eventNow(event, views)) : [];
      if (tail === undefined && ready.every((event) => event !== undefined)) {
        options.onEvents(ready, revision);
        delivered = revision;
        return;
      }
      waiting += events.length;
      if (waiting > waitingEventsMax) return fail('too many events wait for a conversion');
      // Begun at once, delivered in order.
      const converted = eventsLater(events, views);
      converted.catch(() => {});
      const mine: Promise<void> = (tail ?? Promise.resolve())
        .then(async () => deliver(await converted, revision))
        .catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
        .finally(() => {
          waiting -= events.length;
          if (tail === mine) tail = undefined;
        });
      tail = mine;
    },
    onEnd(error) {
      const end = () => {
        if (!failed.signal.aborted) options.onEnd(error);
      };
      if (tail === undefined) end();
      else void tail.then(end);
    },
  });
  return { seen: () => (tail === undefined ? handle.seen() : delivered) };
}

function eventNow(event: StorageEvent, views: Views): StorageEvent | undefined {
  const entry = views.now(event.entry);
  const previous = event.previous && views.now(event.previous);
  if (entry === undefined || (event.previous !== undefined && previous === undefined))
    return undefined;
  if (entry === event.entry && previous === event.previous) return event;
  return { ...event, entry, ...(previous === undefined ? {} : { previous }) };
}

async function eventsLater(
  events: readonly StorageEvent[],
  views: Views,
): Promise<readonly StorageEvent[]> {
  const entries = events.flatMap(({ entry, previous }) => (previous ? [entry, previous] : [entry]));
  const converted = await views.all(entries);
  let i = 0;
  return events.map((event) => {
    const entry = converted[i++] ?? event.entry;
    const previous = event.previous && (converted[i++] ?? event.previous);
    return { ...event, entry, ...(previous === undefined ? {} : { previous }) };
  });
}
