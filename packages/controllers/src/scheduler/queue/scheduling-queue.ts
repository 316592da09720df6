// The pods that wait for a node, each in exactly one place: active (to be tried now, the most
// important first), back-off (failed a moment ago), unschedulable (nothing has changed that could
// help), gated (must not be tried yet), or under way with the scheduler. A pod leaves the queue only
// by being placed or deleted.

import type { Clock } from '@keelson/apimachinery';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { createBackoff } from './backoff.ts';
import type { ClusterEvent } from './cluster-event.ts';
import { labelOf, labelOfUpdate, queueEvents as events } from './event-labels.ts';
import { createHeap } from './pod-heap.ts';
import { comesFirst, noteFailure, type QueuedPod } from './queued-pod.ts';

export interface SchedulingQueueOptions {
  readonly clock: Clock;
  /** What keeps a pod out, by plugin. */
  readonly gateOf: (
    pod: PodSummary,
  ) => { readonly plugin: string; readonly reason: string } | undefined;
  readonly mayHelp: (plugin: string, pod: PodSummary, event: ClusterEvent) => boolean;
  /** A pod has come into this place because of the event. */
  readonly onIncoming?: (place: QueuedPod['place'], event: string) => void;
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
  readonly unschedulableMaxMs?: number;
}

export interface SchedulingQueue {
  /** New, or changed; `mayHelp` when the change could make it schedulable. */
  put(pod: PodSummary, mayHelp?: boolean): void;
  remove(uid: string): void;
  /** Undefined when there is nothing to try now. */
  pop(): QueuedPod | undefined;
  /** Takes out also those of these that nothing keeps from being tried. */
  popOthers(isWanted: (entry: QueuedPod) => boolean): QueuedPod[];
  /** Resolves when `pop` may have something, or the signal is aborted. */
  wait(signal: AbortSignal): Promise<void>;
  /** The attempt failed: no node takes it. */
  rejected(entry: QueuedPod, plugins: ReadonlySet<string>): void;
  /** Keeps a rejected pod from being tried again until the answer is called. */
  hold(entry: QueuedPod): () => void;
  /** Whatever it was waiting for, it is tried now. */
  activate(entry: QueuedPod): void;
  /** The attempt ended in an error: it is tried again after the back-off, whatever happens. */
  failed(entry: QueuedPod): void;
  /** The pod was given its node. */
  placed(entry: QueuedPod): void;
  /** `concerns`: only these pods can be helped by it. */
  happened(event: ClusterEvent, concerns?: (pod: PodSummary) => boolean): void;
  /** Pods by place, for metrics and tests. */
  sizes(): Readonly<Record<QueuedPod['place'], number>>;
  /** All pods, wherever they are. */
  all(): Iterable<QueuedPod>;
  get(uid: string): QueuedPod | undefined;
  stop(): void;
}

/** The defaults of kube-scheduler. */
const defaults = {
  backoffMinMs: 1_000,
  backoffMaxMs: 10_000,
  unschedulableMaxMs: 5 * 60_000,
} as const;
const flushEveryMs = 30_000;

export function createSchedulingQueue(options: SchedulingQueueOptions): SchedulingQueue {
  const places = createPlaces({ ...defaults, ...options });
  const { entries, parked } = places;
  return {
    put: (pod, isHelpful = false) => putPod(places, pod, isHelpful),
    remove(uid) {
      const entry = entries.get(uid);
      if (entry === undefined) return;
      places.take(entry);
      entries.delete(uid);
    },
    pop() {
      const entry = places.next();
      if (entry !== undefined) begin(places, entry);
      return entry;
    },
    popOthers(isWanted) {
      const others = [...entries.values()].filter((entry) => mayBeTried(entry) && isWanted(entry));
      for (const entry of others) begin(places, entry);
      return others;
    },
    wait: (signal) => places.wait(signal),
    rejected(entry, plugins) {
      if (entries.get(entry.uid) !== entry) return;
      entry.rejectedBy = plugins;
      entry.errors = 0;
      entry.rejections++;
      noteFailure(entry, places.now());
      entry.place = 'unschedulable';
      places.park(entry, events.failure);
    },
    failed(entry) {
      if (entries.get(entry.uid) !== entry) return;
      entry.errors++;
      noteFailure(entry, places.now());
      places.backOff(entry, events.failure);
    },
    hold: (entry) => holdPod(places, entry),
    activate(entry) {
      if (entries.get(entry.uid) === entry) places.activate(entry, labelOf({ kind: 'any' }));
    },
    placed: (entry) => void entries.delete(entry.uid),
    happened(event, concerns = () => true) {
      const { mayHelp } = options;
      const isHelped = ({ rejectedBy, pod }: QueuedPod) =>
        concerns(pod) && [...rejectedBy].some((name) => mayHelp(name, pod, event));
      const helped = Array.from(parked).filter(isHelped);
      if (helped.length === 0) return;
      const label = labelOf(event);
      for (const entry of helped) places.backOff(entry, label);
    },
    sizes() {
      const sizes = { active: 0, backoff: 0, unschedulable: 0, gated: 0, underway: 0 };
      for (const { place } of entries.values()) sizes[place]++;
      return sizes;
    },
    all: () => entries.values(),
    get: (uid) => entries.get(uid),
    stop: () => places.stop(),
  };
}

function begin(places: Places, entry: QueuedPod): void {
  places.take(entry);
  entry.place = 'underway';
  entry.attempts++;
}

function mayBeTried({ place, hold }: QueuedPod): boolean {
  return place !== 'underway' && place !== 'gated' && hold === undefined;
}

/** Where pods are, and how they move between places. */
interface Places {
  readonly entries: Map<string, QueuedPod>;
  /** Neither active nor backing off: only these are asked what may help them. */
  readonly parked: Set<QueuedPod>;
  now(): number;
  /** Out of its place, which it must be given anew. */
  take(entry: QueuedPod): void;
  park(entry: QueuedPod, event: string): void;
  activate(entry: QueuedPod, event: string): void;
  /** Active when its back-off is over. */
  backOff(entry: QueuedPod, event: string): void;
  /** In order of importance again, after `change`. */
  reorder(entry: QueuedPod, change: () => void): void;
  next(): QueuedPod | undefined;
  wait(signal: AbortSignal): Promise<void>;
  stop(): void;
}

type PlacesOptions = SchedulingQueueOptions & Record<keyof typeof defaults, number>;

function createPlaces(options: PlacesOptions): Places {
  const { clock, gateOf } = options;
  const entries = new Map<string, QueuedPod>();
  const active = createHeap<QueuedPod>(comesFirst);
  const parked = new Set<QueuedPod>();
  const sleeper = createSleeper();
  const backoff = createBackoff(options, (entry) => activate(entry, events.backoffOver));
  const flush = createRepeater(clock, () => {
    const longAgo = clock.monotonic() - options.unschedulableMaxMs;
    for (const entry of Array.from(parked))
      if (entry.place === 'unschedulable' && entry.failedAt <= longAgo)
        backOff(entry, events.timeout);
    return parked.size > 0;
  });
  const take = (entry: QueuedPod) => {
    active.remove(entry);
    backoff.remove(entry);
    parked.delete(entry);
  };
  const park = (entry: QueuedPod, event: string) => {
    options.onIncoming?.(entry.place, event);
    parked.add(entry);
    flush.start();
  };
  const activate = (entry: QueuedPod, event: string) => {
    take(entry);
    const gate = gateOf(entry.pod);
    if (gate !== undefined) {
      entry.place = 'gated';
      entry.rejectedBy = new Set([gate.plugin]);
      return park(entry, event);
    }
    entry.place = 'active';
    options.onIncoming?.(entry.place, event);
    active.push(entry);
    sleeper.wake();
  };
  const backOff = (entry: QueuedPod, event: string) => {
    if (entry.hold !== undefined) return void (entry.hold.wokenBy = event);
    take(entry);
    if (backoff.isOver(entry)) return activate(entry, event);
    entry.place = 'backoff';
    options.onIncoming?.(entry.place, event);
    backoff.add(entry);
    sleeper.wake();
  };
  const next = () => active.peek() ?? backoff.earliest();
  return {
    entries,
    parked,
    now: () => clock.monotonic(),
    take,
    park,
    activate,
    backOff,
    reorder(entry, change) {
      const isActive = active.remove(entry);
      change();
      if (isActive) active.push(entry);
    },
    next,
    wait: (signal) => (next() === undefined ? sleeper.sleep(signal) : Promise.resolve()),
    stop() {
      backoff.stop();
      flush.stop();
      sleeper.wake();
    },
  };
}

function putPod(places: Places, pod: PodSummary, isHelpful: boolean): void {
  const known = places.entries.get(pod.uid);
  if (known !== undefined) {
    const { pod: old } = known.pod;
    places.reorder(known, () => (known.pod = pod));
    const isParked = known.place === 'gated' || (isHelpful && known.place === 'unschedulable');
    if (isParked) places.backOff(known, labelOfUpdate(pod.pod, old));
    return;
  }
  const now = places.now();
  const entry: QueuedPod = {
    uid: pod.uid,
    pod,
    attempts: 0,
    addedAt: now,
    queuedAt: now,
    failedAt: now,
    errors: 0,
    rejections: 0,
    hold: undefined,
    rejectedBy: new Set(),
    place: 'active',
  };
  places.entries.set(pod.uid, entry);
  places.activate(entry, events.add);
}

function holdPod(places: Places, entry: QueuedPod): () => void {
  const hold: NonNullable<QueuedPod['hold']> = {};
  entry.hold = hold;
  return () => {
    if (entry.hold !== hold) return;
    entry.hold = undefined;
    const isKnown = places.entries.get(entry.uid) === entry;
    if (isKnown && hold.wokenBy !== undefined) places.backOff(entry, hold.wokenBy);
  };
}

/** The one who takes pods out, while there are none. */
function createSleeper() {
  let wake = () => {};
  return {
    wake: () => wake(),
    sleep: (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        wake = () => {
          wake = () => {};
          signal.removeEventListener('abort', wake);
          resolve();
        };
        signal.addEventListener('abort', () => wake(), { once: true });
      }),
  };
}

/** Calls `run` every half minute for as long as it says that there is something to do. */
function createRepeater(clock: Clock, run: () => boolean) {
  let cancel: (() => void) | undefined;
  const start = () => {
    cancel ??= clock.after(flushEveryMs, () => {
      cancel = undefined;
      if (run()) start();
    });
  };
  return { start, stop: () => cancel?.() };
}
