// Events about objects, as controllers tell users what they did. An event that repeats is counted
// in one object, as client-go's recorder does.

import {
  formatTime,
  isStatusError,
  type Clock,
  type KubeObject,
  type ObjectMeta,
} from '@keelson/apimachinery';
import type { Client, ResourceClient } from '@keelson/client';
import { isNamespaceTerminating } from './status-causes.ts';

export interface ObjectAbout {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Which part of it: `spec.containers{app}`. */
  readonly fieldPath?: string;
}
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}
export interface EventRecorder {
  /** Never throws and does not wait: an event that cannot be written is reported and lost. */
  record(about: ObjectAbout, event: EventText): void;
}

export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Who speaks: the controller's name. */
  readonly component: string;
  /** The node that it speaks from. */
  readonly host?: string;
  readonly onError: (error: unknown) => void;
}

interface WrittenEvent {
  readonly name: string;
  readonly count: number;
}
interface EventSource {
  readonly component: string;
  readonly host?: string;
}
interface EventObject extends KubeObject {
  metadata: ObjectMeta;
}

/** Events whose repetition is remembered. */
const rememberedMax = 4_096;
/** Events that wait to be written; more are dropped, so that a storm cannot fill the memory. */
const pendingMax = 1_000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, component, host, onError } = options;
  const source = { component, ...(host === undefined ? {} : { host }) };
  const events = client.resource<EventObject>({ group: '', version: 'v1', resource: 'events' });
  const written = new Map<string, WrittenEvent>();
  const nextSuffix = createEventSuffixes(clock);
  let pending = 0;
  let tail: Promise<void> = Promise.resolve();

  const write = async (about: ObjectAbout, event: EventText): Promise<void> => {
    const namespace = about.namespace === '' ? 'default' : about.namespace;
    const key = JSON.stringify([about, event]);
    const now = formatTime(clock.now());
    const before = written.get(key);
    written.delete(key);
    const resource = events.namespace(namespace);
    const next = before && (await countAgain(resource, before, now));
    if (next === undefined) {
      const create = async () => {
        const name = `${about.name}.${nextSuffix()}`;
        await resource.create(eventObject({ about, event, source, now }, name, namespace));
        return name;
      };
      written.set(key, { name: await retryIfTaken(create), count: 1 });
    } else written.set(key, next);
    const oldest = written.keys().next();
    if (written.size > rememberedMax && oldest.done !== true) written.delete(oldest.value);
  };

  return {
    record(about, event) {
      if (pending >= pendingMax) return;
      pending++;
      tail = tail
        .then(() => write(about, event))
        .catch((error: unknown) => {
          // What is about a namespace on its way out has nobody left to read it.
          if (!isNamespaceTerminating(error)) onError(error);
        })
        .finally(() => pending--);
    },
  };
}

/** Clocks count milliseconds, so another recorder may have used the name for the same object. */
const nameAttemptsMax = 8;

async function retryIfTaken(create: () => Promise<string>): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await create();
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists') || attempt === nameAttemptsMax) throw error;
    }
  }
}

/** Undefined when the event is not there any more: events have a time to live. */
async function countAgain(
  events: ResourceClient<EventObject>,
  { name, count }: WrittenEvent,
  now: string,
): Promise<WrittenEvent | undefined> {
  try {
    await events.patch(name, 'strategic', { count: count + 1, lastTimestamp: now });
    return { name, count: count + 1 };
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Nanoseconds in hexadecimal, as client-go names events; never the same twice. */
function createEventSuffixes(clock: Clock): () => string {
  let last = 0n;
  return () => {
    const now = BigInt(Math.floor(clock.now())) * 1_000_000n;
    last = now > last ? now : last + 1n;
    return last.toString(16);
  };
}

function eventObject(
  {
    about,
    event,
    source,
    now,
  }: { about: ObjectAbout; event: EventText; source: EventSource; now: string },
  name: string,
  namespace: string,
): EventObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: {
      kind: about.kind,
      ...(about.namespace === '' ? {} : { namespace: about.namespace }),
      name: about.name,
      uid: about.uid,
      apiVersion: about.apiVersion,
      ...(about.fieldPath === undefined ? {} : { fieldPath: about.fieldPath }),
    },
    ...event,
    source: { ...source },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    reportingComponent: source.component,
    reportingInstance: source.host ?? '',
  };
}
