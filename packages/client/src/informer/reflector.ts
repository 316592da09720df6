// Keeps a sink equal to what the server has: everything once, then every change, for as long as the
// signal lets it. Where the server can, the first state comes over the watch itself
// (`sendInitialEvents`, KEP-3157), which costs it no consistent list; else by pages. A watch that
// ends is taken up from the last revision; an expired one starts from the beginning.

import {
  isStatusError,
  nextTurn,
  sleep,
  type Clock,
  type KubeObject,
  type Random,
} from '@keelson/apimachinery';
import { createBackoff } from '../backoff.ts';
import type { ResourceClient } from '../resource-client.ts';
import type { SelectionOptions } from '../resource-options.ts';
import { TransportError } from '../transport.ts';
import { endsInitialEvents, type WatchEvent } from '../watch.ts';

export interface ReflectorSink<T extends KubeObject> {
  /** These objects are all there are. */
  replace(objects: readonly T[]): void;
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly resource: ResourceClient<T>;
  readonly selection?: SelectionOptions;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of every failure; the reflector goes on. */
  readonly onError: (error: unknown) => void;
}

/** Between these bounds, at random, a watch is renewed, so that a dead connection is noticed. */
const watchSecondsMin = 300;
const watchSecondsSpread = 300;
/** A watch that lives shorter is no sign of health. */
const healthyWatchMs = 1_000;

/** Returns when the signal is aborted or the client closed. Never throws. */
export async function reflect<T extends KubeObject>(
  options: ReflectorOptions<T>,
  sink: ReflectorSink<T>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, onError } = options;
  const backoff = createBackoff({ random, initialMs: 400, maxMs: 30_000 });
  const session = createSession(options, sink, signal);
  while (!signal.aborted) {
    const startedAt = clock.monotonic();
    try {
      await session.run();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TransportError && error.code === 'closed') return;
      if (session.recover(error)) continue;
      onError(error);
    }
    if (signal.aborted) return;
    if (clock.monotonic() - startedAt >= healthyWatchMs) {
      backoff.reset();
      continue;
    }
    await sleep(clock, backoff.nextMs(), signal).catch(() => {});
  }
}

interface Session {
  /** Until the watch ends. */
  run(): Promise<void>;
  /** True when the failure is no trouble, but says to go on in another way at once. */
  recover(error: unknown): boolean;
}

function createSession<T extends KubeObject>(
  { resource, selection = {}, random }: ReflectorOptions<T>,
  sink: ReflectorSink<T>,
  signal: AbortSignal,
): Session {
  /** Revision that the sink has; empty before the first state and after it has expired. */
  let revision = '';
  let streamsInitialState = true;
  let expired = 0;
  const watch = (more: { resourceVersion?: string; sendInitialEvents?: boolean }) => {
    const timeoutSeconds = Math.floor(watchSecondsMin + random.float() * watchSecondsSpread);
    return resource.watch({ ...selection, ...more, timeoutSeconds, resume: false, signal });
  };

  const follow = async (events: AsyncIterable<WatchEvent<T>>) => {
    for await (const event of events) {
      if (event.type !== 'BOOKMARK') sink.apply(event.type, event.object);
      revision = event.object.metadata.resourceVersion ?? revision;
      expired = 0;
    }
  };

  return {
    async run() {
      if (revision !== '') return follow(watch({ resourceVersion: revision }));
      if (streamsInitialState) {
        const events = watch({ sendInitialEvents: true });
        const first = await readInitialState(events);
        if (first === undefined) return;
        sink.replace(first.objects);
        revision = first.revision;
        return follow(events);
      }
      const list = await resource.listAll({ ...selection, signal });
      sink.replace(list.items);
      revision = list.metadata.resourceVersion ?? '';
    },
    recover(error) {
      if (isStatusError(error) && error.code === 410) {
        revision = '';
        // Once at once; a server that goes on so is left in peace for a while.
        return expired++ === 0;
      }
      if (revision !== '' || !streamsInitialState || !refusesInitialEvents(error)) return false;
      streamsInitialState = false;
      return true;
    },
  };
}

/** Events read in a row before others get a turn. */
const eventsPerTurn = 200;

/**
 * Leaves the iteration open at the end of the initial events; undefined when the watch ended
 * before.
 */
async function readInitialState<T extends KubeObject>(
  events: AsyncGenerator<WatchEvent<T>>,
): Promise<{ objects: T[]; revision: string } | undefined> {
  const objects = new Map<string, T>();
  for (let count = 1; ; count++) {
    if (count % eventsPerTurn === 0) await nextTurn();
    const next = await events.next();
    if (next.done === true) return undefined;
    const event = next.value;
    const { namespace = '', name = '', resourceVersion = '' } = event.object.metadata;
    const key = `${namespace}/${name}`;
    if (event.type === 'DELETED') objects.delete(key);
    else if (event.type !== 'BOOKMARK') objects.set(key, event.object);
    else if (endsInitialEvents(event))
      return { objects: [...objects.values()], revision: resourceVersion };
  }
}

/** Servers of releases before 1.27, or with the feature off, name the parameter as forbidden. */
function refusesInitialEvents(error: unknown): boolean {
  return isStatusError(error) && (error.code === 400 || error.code === 422);
}
