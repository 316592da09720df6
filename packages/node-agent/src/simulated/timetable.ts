// What is due when, for all nodes and pods of the process: a heap of dates behind a single timer,
// so that thousands of pods that wait for something cost one timer, and pods that wait for nothing
// cost none.

import type { CancelTimer, Clock } from '@keelson/apimachinery';

export interface Timetable {
  /**
   * Runs `work` once at `atMs` (of `Clock.now`), or as soon as possible when that has passed. A key
   * has one date: a later call replaces it, and `undefined` takes it away.
   */
  set(key: object, atMs: number | undefined, work: () => void): void;
  /** Nothing runs any more. */
  close(): void;
}

interface Entry {
  readonly key: object;
  readonly atMs: number;
  /** Which of two entries of one date came first. */
  readonly order: number;
  readonly work: () => void;
}

export function createTimetable(clock: Clock): Timetable {
  const heap: Entry[] = [];
  const current = new Map<object, Entry>();
  let order = 0;
  let armed: { readonly atMs: number; readonly cancel: CancelTimer } | undefined;
  let isClosed = false;

  const arm = () => {
    while (heap[0] !== undefined && current.get(heap[0].key) !== heap[0]) pop(heap);
    const [next] = heap;
    if (next === undefined || isClosed) return disarm();
    if (armed !== undefined && armed.atMs <= next.atMs) return;
    disarm();
    armed = { atMs: next.atMs, cancel: clock.after(Math.max(next.atMs - clock.now(), 0), run) };
  };
  const disarm = () => {
    armed?.cancel();
    armed = undefined;
  };
  const run = () => {
    armed = undefined;
    const now = clock.now();
    for (let next = heap[0]; next !== undefined && next.atMs <= now; next = heap[0]) {
      pop(heap);
      if (current.get(next.key) !== next) continue;
      current.delete(next.key);
      next.work();
    }
    arm();
  };
  return {
    set(key, atMs, work) {
      if (isClosed) return;
      if (atMs === undefined || atMs === Infinity) current.delete(key);
      else {
        const entry = { key, atMs, order: order++, work };
        current.set(key, entry);
        push(heap, entry);
      }
      arm();
    },
    close() {
      isClosed = true;
      heap.length = 0;
      current.clear();
      disarm();
    },
  };
}

const isBefore = (a: Entry, b: Entry) =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (parent === undefined || !isBefore(entry, parent)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const isRight = left !== undefined && right !== undefined && isBefore(right, left);
    const child = isRight ? right : left;
    if (child === undefined || !isBefore(child, last)) break;
    heap[at] = child;
    at = 2 * at + (isRight ? 2 : 1);
  }
  heap[at] = last;
}
