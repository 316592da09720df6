// WATCH: a stream of events from a revision on. Events are encoded once per object and shape and
// shared by all watchers; a watcher that does not read is cut off when its backlog is full.
//
//   resourceVersion unset or 0      the current objects as ADDED, then what follows
//   resourceVersion N               everything after N; 410 when N was compacted
//   sendInitialEvents=true          the current objects, then a bookmark annotated k8s.io/initial-events-end

import {
  decodeObject,
  formatApiVersion,
  nextTurn,
  statusErrors,
  type KubeObject,
  type ResourceDefinition,
  type Status,
} from '@keelson/apimachinery';
import {
  interpretStorageError,
  plainError,
  tooLargeResourceVersion,
} from '../../registry/storage-errors.ts';
import { storagePrefix, type StoreScope } from '../../registry/store-types.ts';
import {
  isStorageError,
  type StorageEvent,
  type StoredEntry,
  type WatchHandle,
} from '../../storage/storage.ts';
import { isWebSocketRequest, loadWebSockets } from '../../transport/websocket.ts';
import { negotiateOutput, type OutputFormat } from '../negotiation.ts';
import { parseListOptions, type ListRequestOptions } from '../query-options.ts';
import { toServed, untilRevision, type ResourceRequest } from '../resource-request.ts';
import { createPredicate, parsePredicate, type ObjectPredicate } from '../selectors.ts';
import { createEventEncoder, type EventEncoder } from '../watch-encoding.ts';
import { createWatchStream, type WatchStream } from '../watch-stream.ts';

/** A few milliseconds of work. */
const initialEventsPerTurn = 200;
/** How long before its end a watch gets its last bookmark. */
const lastBookmarkMs = 2_000;

const initialEventsEnd = 'k8s.io/initial-events-end';

export async function watchResource(request: ResourceRequest): Promise<void> {
  const { context, endpoint } = request;
  const options = parseListOptions(context.info.query, true, request.services.features);
  const format = negotiateOutput(context, endpoint.custom);
  const predicate = namedPredicate(request, parsePredicate(endpoint, options));
  const scope = endpoint.scope;
  if (scope === undefined) throw statusErrors.methodNotSupported(endpoint.definition, 'watch');
  if (options.resourceVersion !== '' && !/^\d+$/.test(options.resourceVersion))
    throw plainError(
      `resourceVersion: Invalid value: ${JSON.stringify(options.resourceVersion)}: strconv.ParseUint: parsing ${JSON.stringify(options.resourceVersion)}: invalid syntax`,
    );
  if (isWebSocketRequest(context.request)) await loadWebSockets();
  await new WatchSession(request, format, { scope, options, predicate }).run();
}

/** `/watch/…/name` and `?watch` with a name in the path select that name. */
function namedPredicate(request: ResourceRequest, predicate: ObjectPredicate): ObjectPredicate {
  if (request.name === '' || predicate.fields.exactValue('metadata.name') === request.name)
    return predicate;
  const byName = createPredicate(request.endpoint, predicate.labels, predicate.fields);
  return {
    ...byName,
    isEmpty: false,
    matches: (object) => object.metadata.name === request.name && predicate.matches(object),
  };
}

/** What is watched. */
interface WatchSubject {
  readonly scope: StoreScope;
  readonly options: ListRequestOptions;
  readonly predicate: ObjectPredicate;
}

/** One running watch. A class, because it has a life: it starts, delivers, and ends once. */
class WatchSession {
  readonly #request: ResourceRequest;
  readonly #scope: StoreScope;
  readonly #options: ListRequestOptions;
  readonly #predicate: ObjectPredicate;
  readonly #encoder: EventEncoder;
  readonly #stream: WatchStream;
  readonly #stop = new AbortController();
  /** What the watch of the storage has delivered; absent until it has begun. */
  #progress: WatchHandle | undefined;
  /** Revision after which a watch from the future begins. */
  #notBefore = 0;
  #done: () => void = () => {};
  /** Conversions make delivery asynchronous; the chain keeps the order. */
  #tail: Promise<void> | undefined;

  constructor(
    request: ResourceRequest,
    format: OutputFormat,
    { scope, options, predicate }: WatchSubject,
  ) {
    this.#request = request;
    this.#scope = scope;
    this.#options = options;
    this.#predicate = predicate;
    this.#encoder = createEventEncoder(request, format);
    this.#stream = createWatchStream(request, format, () => this.#end());
  }

  async run(): Promise<void> {
    const { context, services } = this.#request;
    const finished = new Promise<void>((resolve) => (this.#done = resolve));
    const timeoutMs = this.#timeoutMs();
    const endsAt = services.clock.monotonic() + timeoutMs;
    const cancelTimer = services.clock.after(timeoutMs, () => this.#end());
    const onAbort = () => this.#end();
    context.signal.addEventListener('abort', onAbort, { once: true });
    services.shutdown.addEventListener('abort', onAbort, { once: true });
    let cancelBookmarks = () => {};
    try {
      await this.#start();
      context.onWatchStarted?.();
      if (this.#options.allowWatchBookmarks) cancelBookmarks = this.#scheduleBookmarks(endsAt);
      if (context.signal.aborted || services.shutdown.aborted) this.#end();
      await finished;
    } finally {
      cancelTimer();
      cancelBookmarks();
      context.signal.removeEventListener('abort', onAbort);
      services.shutdown.removeEventListener('abort', onAbort);
      this.#stop.abort();
    }
  }

  async #start(): Promise<void> {
    const { resourceVersion: rv, sendInitialEvents } = this.#options;
    const wantsInitial =
      sendInitialEvents === true || (sendInitialEvents === undefined && (rv === '' || rv === '0'));
    if (sendInitialEvents === true) await untilRevision(this.#request, rv);
    const now = this.#scope.storage.revision();
    if (sendInitialEvents === true && Number(rv) > now) {
      this.#stream.open();
      this.#fail(tooLargeResourceVersion(rv, now).status);
      return this.#end();
    }
    if (wantsInitial) return this.#startWithInitialEvents();
    const from = rv === '' || rv === '0' ? now : Number(rv);
    if (from > now) {
      this.#stream.open();
      return this.#waitFor(from);
    }
    this.#follow(from, true);
  }

  async #startWithInitialEvents(): Promise<void> {
    const prefix = this.#prefix();
    const { entries, revision } = await this.#scope.storage.list(prefix);
    this.#stream.open();
    // INVARIANT: the backlog's bound is for changes; a client that reads gets any number of these.
    for (const [index, entry] of entries.entries()) {
      // Thousands of objects must not keep other requests waiting.
      if (index % initialEventsPerTurn === initialEventsPerTurn - 1) await nextTurn();
      if (this.#stop.signal.aborted) return;
      if (!this.#matches(entry)) continue;
      if (this.#request.endpoint.conversion !== undefined) await this.#deliver('ADDED', entry);
      else this.#stream.write(this.#encoder.initial(entry));
      await this.#stream.untilTaken();
    }
    if (this.#options.sendInitialEvents === true && this.#options.allowWatchBookmarks)
      this.#bookmark(revision, { [initialEventsEnd]: 'true' });
    this.#follow(revision, false);
  }

  /** A revision that is not there yet: nothing is delivered until it has passed. */
  #waitFor(revision: number): void {
    this.#notBefore = revision;
    this.#progress = this.#scope.storage.watch(this.#prefix(), {
      signal: this.#stop.signal,
      onEvents: (events) => this.#onEvents(events.filter((e) => e.revision > revision)),
      onEnd: () => this.#end(),
    });
  }

  #follow(revision: number, openStream: boolean): void {
    try {
      this.#progress = this.#scope.storage.watch(this.#prefix(), {
        revision,
        signal: this.#stop.signal,
        onEvents: (events) => this.#onEvents(events),
        onEnd: (error) => {
          if (error.code === 'compacted') this.#fail(statusErrors.expired(error.message).status);
          if (error.code === 'failed') this.#fail(statusErrors.internalError(error.message).status);
          this.#end();
        },
      });
    } catch (error) {
      if (isStorageError(error, 'compacted')) {
        // COMPAT: a watch from a forgotten revision is answered 200 with an ERROR event.
        this.#stream.open();
        this.#fail(
          statusErrors.expired(
            `too old resource version: ${revision} (${this.#scope.storage.compactedRevision()})`,
          ).status,
        );
        return this.#end();
      }
      throw interpretStorageError(error, this.#request.endpoint.definition, '');
    }
    if (openStream) this.#stream.open();
  }

  #onEvents(events: readonly StorageEvent[]): void {
    for (const event of events) {
      const now = event.type !== 'DELETED' && this.#matches(event.entry);
      const before = event.previous !== undefined && this.#matches(event.previous);
      if (now) void this.#deliver(before ? 'MODIFIED' : 'ADDED', event.entry);
      else if (before)
        void this.#deliver(
          'DELETED',
          event.entry,
          event.type === 'DELETED' ? undefined : event.previous,
        );
    }
  }

  #matches(entry: StoredEntry): boolean {
    return this.#predicate.isEmpty || this.#predicate.matches(entry.object);
  }

  /**
   * `shown` is the state to show when it is not the entry's own: an object that ceased to match
   * shows its last match.
   */
  #deliver(type: string, entry: StoredEntry, shown?: StoredEntry): void | Promise<void> {
    if (this.#request.endpoint.conversion === undefined) {
      if (shown === undefined) return this.#stream.write(this.#encoder.stored(type, entry));
      return this.#stream.write(this.#encoder.object(type, withRevision(shown.object, entry)));
    }
    const object = shown === undefined ? entry.object : withRevision(shown.object, entry);
    this.#tail = (this.#tail ?? Promise.resolve()).then(async () => {
      const served = await toServed(this.#request.endpoint, object);
      this.#stream.write(this.#encoder.object(type, served, object));
    });
    return this.#tail;
  }

  #bookmark(revision: number, annotations?: Record<string, string>): void {
    const { endpoint } = this.#request;
    const { definition } = endpoint;
    const metadata = {
      resourceVersion: String(revision),
      ...(annotations === undefined ? {} : { annotations }),
    };
    const served = { ...emptyOf(definition, endpoint.custom), metadata };
    const stored = { ...emptyOf(this.#scope.definition, endpoint.custom), metadata };
    const write = () => this.#stream.write(this.#encoder.object('BOOKMARK', served, stored));
    if (this.#tail === undefined) write();
    // What is still being converted was before it.
    else this.#tail = this.#tail.then(write);
  }

  /**
   * A bookmark at every interval, and a last one shortly before the end, so that who watches again
   * can go on from a revision that is still known.
   */
  #scheduleBookmarks(endsAt: number): () => void {
    const { clock, limits } = this.#request.services;
    let cancel = () => {};
    const schedule = () => {
      const beforeEnd = endsAt - lastBookmarkMs - clock.monotonic();
      // COMPAT: after the last one there is none, however long the interval.
      if (beforeEnd <= 0) return;
      cancel = clock.after(Math.min(limits.bookmarkIntervalMs, beforeEnd), () => {
        const seen = this.#progress?.seen() ?? 0;
        if (seen > 0 && seen >= this.#notBefore) this.#bookmark(seen);
        schedule();
      });
    };
    schedule();
    return () => cancel();
  }

  #fail(status: Status): void {
    this.#stream.write(this.#encoder.object('ERROR', status as unknown as KubeObject));
  }

  #end(): void {
    this.#stop.abort();
    this.#stream.end();
    this.#done();
  }

  #prefix(): string {
    return storagePrefix(this.#scope, this.#request.namespace);
  }

  #timeoutMs(): number {
    const { limits, jitter } = this.#request.services;
    const wanted = this.#options.timeoutSeconds;
    // COMPAT: zero is no wish; a negative time is over at once.
    if (wanted !== undefined && wanted !== 0) return Math.max(0, wanted * 1000);
    return limits.watchTimeoutMinMs * (1 + jitter());
  }
}

function withRevision(object: KubeObject, entry: StoredEntry): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(entry.revision) } };
}

const emptyDocument = Buffer.from('{}');

/** COMPAT: a bookmark is an empty object as Go writes it, so fields without omitempty show. */
function emptyOf(definition: ResourceDefinition, custom: boolean): KubeObject {
  const fields = custom ? {} : decodeObject(emptyDocument, definition.type).object;
  const { kind } = definition;
  return { kind, apiVersion: formatApiVersion(definition), ...fields, metadata: {} };
}
