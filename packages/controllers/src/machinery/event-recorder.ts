// Events about objects, as controllers tell users what they did. They are written in the background,
// some at a time; which are written and which are counted is the correlator's business.

import {
  formatTime,
  isStatusError,
  type Clock,
  type KubeObject,
  type ObjectMeta,
} from '@keelson/apimachinery';
import type { Client, ResourceClient } from '@keelson/client';
import { createEventCorrelator, type CorrelatedEvent } from './event-correlator.ts';
import { createRecentMap } from './recent-map.ts';
import { isNamespaceMissing, isNamespaceTerminating } from './status-causes.ts';

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

interface EventSource {
  readonly component: string;
  readonly host?: string;
}
interface EventObject extends KubeObject {
  metadata: ObjectMeta;
}

/** Events that wait to be written; more are dropped, so that a storm cannot fill the memory. */
const pendingMax = 1_000;
/** Events that are written at a time. Those about one object are written one after the other. */
const lanes = 16;
/** Events whose names are remembered, to count them there. */
const namesMax = 4_096;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, component, host, onError } = options;
  const source = { component, ...(host === undefined ? {} : { host }) };
  const events = client.resource<EventObject>({ group: '', version: 'v1', resource: 'events' });
  const { correlate } = createEventCorrelator(clock);
  const names = createRecentMap<string>(namesMax);
  const nextSuffix = createEventSuffixes(clock);
  const tails = Array.from({ length: lanes }, () => Promise.resolve());
  let pending = 0;

  const write = async (told: ToldEvent): Promise<void> => {
    const { about, event } = told;
    const namespace = about.namespace === '' ? 'default' : about.namespace;
    const resource = events.namespace(namespace);
    const known = event.count === 1 ? undefined : names.get(event.key);
    if (known !== undefined && (await countAgain(resource, known, told))) return;
    const create = async () => {
      const name = `${about.name}.${nextSuffix()}`;
      await resource.create(eventObject(told, source, { name, namespace }));
      return name;
    };
    names.put(event.key, await retryIfTaken(create));
  };

  return {
    record(about, text) {
      if (pending >= pendingMax) return;
      const event = correlate(about, text);
      if (event === undefined) return;
      const told = { about, event, at: clock.now() };
      const lane = laneOf(about);
      pending++;
      tails[lane] = (tails[lane] ?? Promise.resolve())
        .then(() => write(told))
        .catch((error: unknown) => {
          // What is about a namespace on its way out, or gone, has nobody left to read it.
          if (!isNamespaceTerminating(error) && !isNamespaceMissing(error)) onError(error);
        })
        .finally(() => pending--);
    },
  };
}

interface ToldEvent {
  readonly about: ObjectAbout;
  readonly event: CorrelatedEvent;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The same for all events about an object. */
function laneOf({ namespace, name }: ObjectAbout): number {
  let sum = 0;
  for (const text of [namespace, name])
    for (let at = 0; at < text.length; at++) sum = (sum * 31 + text.charCodeAt(at)) % 65_536;
  return sum % lanes;
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

/** False when the event is not there any more: events have a time to live. */
async function countAgain(
  events: ResourceClient<EventObject>,
  name: string,
  { event: { count, message }, at }: ToldEvent,
): Promise<boolean> {
  try {
    await events.patch(name, 'strategic', { count, message, lastTimestamp: formatTime(at) });
    return true;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return false;
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
  { about, event: { type, reason, message, count, firstAt }, at }: ToldEvent,
  source: EventSource,
  metadata: ObjectMeta,
): EventObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata,
    involvedObject: {
      kind: about.kind,
      ...(about.namespace === '' ? {} : { namespace: about.namespace }),
      name: about.name,
      uid: about.uid,
      apiVersion: about.apiVersion,
      ...(about.fieldPath === undefined ? {} : { fieldPath: about.fieldPath }),
    },
    type,
    reason,
    message,
    source: { ...source },
    firstTimestamp: formatTime(firstAt),
    lastTimestamp: formatTime(at),
    count,
    reportingComponent: source.component,
    reportingInstance: source.host ?? '',
  };
}
