// The recent past of a store: every write after the compacted revision, in order, and the tree as
// it was at any of those revisions. It is the one log that watches resume from and that lists at an
// old revision are answered from.
//
// Writes are kept in chunks; each full chunk also keeps the tree at its end. The tree at another
// revision is the next kept one with the writes between them undone: at most one chunk of them.

import { StorageError } from '../storage.ts';
import type { Revision, StorageEvent, StorageKey } from '../storage.ts';
import { sortKey, treeDelete, treeSet } from './persistent-tree.ts';
import type { Tree } from './persistent-tree.ts';
import type { StoredObject } from './stored-object.ts';

export interface HistoryEvent extends StorageEvent {
  readonly entry: StoredObject;
  readonly previous?: StoredObject;
}
export type EntryTree = Tree<StoredObject>;

export interface HistoryLimits {
  readonly eventsMax: number;
  /** Bound on the stored forms that the events hold; the last chunk is kept whatever its size. */
  readonly bytesMax: number;
}

export interface RevisionHistory {
  /** Revision of the last write. */
  revision(): Revision;
  /** Oldest revision that can be read; writes after it can be watched. */
  compacted(): Revision;
  /** The state after the last write. */
  tree(): EntryTree;
  /** The next write and the state after it. Its revision must be the next one. */
  append(event: HistoryEvent, tree: EntryTree): void;
  /** The state at a revision. Throws `compacted` or `future-revision`. */
  treeAt(revision: Revision): EntryTree;
  /** Throws `compacted` or `future-revision` when the revision cannot be read. */
  assertReadable(revision: Revision): void;
  /** Up to `limit` writes under the prefix after a readable revision, and how far that reaches. */
  eventsAfter(revision: Revision, prefix: StorageKey, limit: number): EventPage;
  compact(revision: Revision): void;
  /** An independent continuation; shares all full chunks. */
  fork(): RevisionHistory;
}

export interface EventPage {
  readonly events: readonly HistoryEvent[];
  readonly revision: Revision;
}

const chunkEvents = 128;

interface Chunk {
  readonly events: HistoryEvent[];
  bytes: number;
  /** Set once the chunk is full. */
  end: { readonly tree: EntryTree } | undefined;
}

interface HistoryState {
  /** Revision before the first write of the first chunk. */
  base: Revision;
  revision: Revision;
  compacted: Revision;
  tree: EntryTree;
  bytes: number;
  chunks: Chunk[];
}

/** A history that begins at a state. */
export function createRevisionHistory(
  start: { readonly revision: Revision; readonly tree: EntryTree },
  limits: HistoryLimits,
): RevisionHistory {
  const { revision, tree } = start;
  const state = { base: revision, revision, compacted: revision, tree, bytes: 0, chunks: [] };
  return continueHistory(state, limits);
}

function continueHistory(state: HistoryState, limits: HistoryLimits): RevisionHistory {
  function assertReadable(revision: Revision): void {
    if (revision > state.revision) {
      const message = `revision ${revision} is ahead of the current one, ${state.revision}`;
      throw new StorageError('future-revision', message);
    }
    if (revision < state.compacted) {
      const message = `revision ${revision} has been compacted, the oldest is ${state.compacted}`;
      throw new StorageError('compacted', message);
    }
  }
  return {
    revision: () => state.revision,
    compacted: () => state.compacted,
    tree: () => state.tree,
    append(event, tree) {
      appendEvent(state, event, tree);
      applyLimits(state, limits);
    },
    treeAt(revision) {
      assertReadable(revision);
      return treeAt(state, revision);
    },
    assertReadable,
    eventsAfter(revision, prefix, limit) {
      assertReadable(revision);
      return eventsAfter(state, { revision, prefix, limit });
    },
    compact(revision) {
      if (revision <= state.compacted) return;
      assertReadable(revision);
      dropThrough(state, revision);
    },
    fork() {
      const chunks = state.chunks.map((c) => (c.end ? c : { ...c, events: c.events.slice() }));
      return continueHistory({ ...state, chunks }, limits);
    },
  };
}

function appendEvent(state: HistoryState, event: HistoryEvent, tree: EntryTree): void {
  if (event.revision !== state.revision + 1) {
    throw new Error(`write ${event.revision} cannot follow revision ${state.revision}`);
  }
  let chunk = state.chunks.at(-1);
  if (chunk === undefined || chunk.end !== undefined) {
    chunk = { events: [], bytes: 0, end: undefined };
    state.chunks.push(chunk);
  }
  chunk.events.push(event);
  chunk.bytes += event.entry.bytesLength;
  state.bytes += event.entry.bytesLength;
  if (chunk.events.length === chunkEvents) chunk.end = { tree };
  state.revision = event.revision;
  state.tree = tree;
}

function applyLimits(state: HistoryState, limits: HistoryLimits): void {
  const oldest = state.revision - limits.eventsMax;
  if (oldest > state.compacted) dropThrough(state, oldest);
  while (state.bytes > limits.bytesMax && state.chunks.length > 1) {
    dropThrough(state, state.base + chunkEvents);
  }
}

/** Forgets writes up to and including a revision; memory is given back a whole chunk at a time. */
function dropThrough(state: HistoryState, revision: Revision): void {
  state.compacted = revision;
  const whole = Math.floor((revision - state.base) / chunkEvents);
  if (whole === 0) return;
  for (const chunk of state.chunks.splice(0, whole)) state.bytes -= chunk.bytes;
  state.base += whole * chunkEvents;
}

function treeAt(state: HistoryState, revision: Revision): EntryTree {
  if (revision === state.revision) return state.tree;
  const index = Math.floor((revision - state.base) / chunkEvents);
  const chunk = state.chunks[index];
  if (chunk === undefined) throw new Error(`no history at revision ${revision}`);
  let tree = chunk.end === undefined ? state.tree : chunk.end.tree;
  const first = state.base + index * chunkEvents + 1;
  for (let i = chunk.events.length - 1; first + i > revision; i--) {
    const event = chunk.events[i];
    if (event !== undefined) tree = undo(tree, event);
  }
  return tree;
}

function undo(tree: EntryTree, event: HistoryEvent): EntryTree {
  const key = sortKey(event.entry.key);
  return event.previous === undefined ? treeDelete(tree, key) : treeSet(tree, key, event.previous);
}

function eventsAfter(
  state: HistoryState,
  from: { readonly revision: Revision; readonly prefix: StorageKey; readonly limit: number },
): EventPage {
  const events: HistoryEvent[] = [];
  for (let revision = from.revision + 1; revision <= state.revision; revision++) {
    const offset = revision - state.base - 1;
    const event = state.chunks[Math.floor(offset / chunkEvents)]?.events[offset % chunkEvents];
    if (event === undefined || !event.entry.key.startsWith(from.prefix)) continue;
    events.push(event);
    if (events.length >= from.limit) return { events, revision };
  }
  return { events, revision: state.revision };
}
