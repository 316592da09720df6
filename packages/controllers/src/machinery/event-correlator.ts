// Which events are written, and which are counted in one object, by the rules of client-go's
// recorder: an event that repeats is counted; of many that differ in their message only, the later
// ones are counted together; and who says too much about one object is not heard for a while.

import type { Clock } from '@keelson/apimachinery';
import type { EventText, ObjectAbout } from './event-recorder.ts';
import { createRecentMap } from './recent-map.ts';

export interface CorrelatedEvent extends EventText {
  /** The same for all that are counted in one object. */
  readonly key: string;
  /** How often it has been seen. */
  readonly count: number;
  /** Milliseconds since 1970, when it was seen for the first time. */
  readonly firstAt: number;
}

export interface EventCorrelator {
  /** Undefined when it is not to be written. */
  correlate(about: ObjectAbout, event: EventText): CorrelatedEvent | undefined;
}

/** What is remembered of each sort: objects, groups of similar events, events. */
const rememberedMax = 4_096;
/** Distinct messages of one reason before they are counted together. */
const messagesMax = 10;
/** After such a silence a group of similar events starts over. */
const groupMs = 600_000;
/** Events about one object at once. */
const burst = 25;
/** One more event about it is heard after each of these. */
const refillMs = 300_000;

export function createEventCorrelator(clock: Pick<Clock, 'now'>): EventCorrelator {
  const group = createGroups();
  const mayBeHeard = createAllowance();
  const counts = createRecentMap<{ readonly count: number; readonly firstAt: number }>(
    rememberedMax,
  );
  return {
    correlate(about, event) {
      const now = clock.now();
      const { key, message } = group(about, event, now);
      const before = counts.get(key);
      const seen = { count: (before?.count ?? 0) + 1, firstAt: before?.firstAt ?? now };
      counts.put(key, seen);
      if (!mayBeHeard(keyOf(about), now)) return undefined;
      return { ...event, message, key, ...seen };
    },
  };
}

function createGroups() {
  const groups = createRecentMap<{ readonly messages: Set<string>; at: number }>(rememberedMax);
  return (about: ObjectAbout, event: EventText, now: number) => {
    const { type, reason, message } = event;
    const groupKey = JSON.stringify([keyOf(about), type, reason]);
    const known = groups.get(groupKey);
    const isNew = known === undefined || now - known.at > groupMs;
    const group = isNew ? { messages: new Set<string>(), at: now } : known;
    group.at = now;
    const isOneMore = group.messages.size >= messagesMax - 1 && !group.messages.has(message);
    if (!isOneMore) group.messages.add(message);
    groups.put(groupKey, group);
    return isOneMore
      ? { key: groupKey, message: `(combined from similar events): ${message}` }
      : { key: JSON.stringify([keyOf(about), about.fieldPath, type, reason, message]), message };
  };
}

function createAllowance() {
  const allowances = createRecentMap<{ readonly left: number; readonly at: number }>(rememberedMax);
  return (key: string, now: number): boolean => {
    const before = allowances.get(key) ?? { left: burst, at: now };
    const left = Math.min(burst, before.left + (now - before.at) / refillMs);
    const isHeard = left >= 1;
    allowances.put(key, { left: isHeard ? left - 1 : left, at: now });
    return isHeard;
  };
}

/** Without the part of the object that it is about. */
const keyOf = ({ apiVersion, kind, namespace, name, uid }: ObjectAbout) =>
  JSON.stringify([apiVersion, kind, namespace, name, uid]);
