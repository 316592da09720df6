// Events about objects, as controllers tell users what they did. An event that repeats is counted in
// one object, as client-go's recorder does.

import { formatTime, type Clock, type KubeObject, type ObjectMeta } from '@keelson/apimachinery';
import type { Client } from '@keelson/client';

export interface ObjectAbout {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
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
  readonly onError: (error: unknown) => void;
}

interface WrittenEvent {
  readonly name: string;
  readonly count: number;
}
interface EventObject extends KubeObject {
  metadata: ObjectMeta;
}

/** Events whose repetition is remembered. */
const rememberedMax = 4_096;
/** Events that wait to be written; more are dropped, so that a storm cannot fill the memory. */
const pendingMax = 1_000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, component, onError } = options;
  const events = client.resource<EventObject>({ group: '', version: 'v1', resource: 'events' });
  const written = new Map<string, WrittenEvent>();
  let pending = 0;
  let tail: Promise<void> = Promise.resolve();

  const write = async (about: ObjectAbout, event: EventText): Promise<void> => {
    const namespace = about.namespace === '' ? 'default' : about.namespace;
    const key = JSON.stringify([about, event]);
    const now = formatTime(clock.now());
    const before = written.get(key);
    written.delete(key);
    const next =
      before === undefined
        ? { name: `${about.name}.${eventSuffix(clock)}`, count: 1 }
        : { name: before.name, count: before.count + 1 };
    const resource = events.namespace(namespace);
    if (before === undefined) {
      await resource.create(eventObject({ about, event, component, now }, next.name, namespace));
    } else {
      await resource.patch(next.name, 'strategic', { count: next.count, lastTimestamp: now });
    }
    written.set(key, next);
    const oldest = written.keys().next();
    if (written.size > rememberedMax && oldest.done !== true) written.delete(oldest.value);
  };

  return {
    record(about, event) {
      if (pending >= pendingMax) return;
      pending++;
      tail = tail
        .then(() => write(about, event))
        .catch(onError)
        .finally(() => pending--);
    },
  };
}

/** Nanoseconds in hexadecimal, as client-go names events. */
function eventSuffix(clock: Clock): string {
  const submillisecond = Math.floor((clock.monotonic() % 1) * 1_000_000);
  return (BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(submillisecond)).toString(16);
}

function eventObject(
  {
    about,
    event,
    component,
    now,
  }: { about: ObjectAbout; event: EventText; component: string; now: string },
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
    },
    ...event,
    source: { component },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    reportingComponent: component,
    reportingInstance: '',
  };
}
