// What passes between the store and its log: writes, packed into columns with all values in one
// buffer, because that is what a thread boundary carries fastest.

import type { Revision, StorageKey } from '../storage.ts';

/** Writes in revision order. */
export interface LogRecords {
  readonly keys: readonly StorageKey[];
  readonly revisions: Float64Array;
  /** Revision of the write that each replaces; 0 when the key was absent. */
  readonly previous: Float64Array;
  /** Where each value ends in `values`, and the next begins. */
  readonly ends: Uint32Array;
  /** 1 for a deletion, which has no value. */
  readonly deletions: Uint8Array;
  readonly values: Uint8Array<ArrayBuffer>;
}

export interface LogRecord {
  readonly key: StorageKey;
  readonly revision: Revision;
  readonly previous: Revision;
  /** Undefined for a deletion. */
  readonly value: Uint8Array | undefined;
}

/**
 * The log as the store sees it. One call is in flight at a time per kind; calls are done in order.
 */
export interface DurableLog {
  /**
   * Resolves when all of the records are on disk. Rejects with a StorageError and has then none of
   * them.
   */
  append(records: LogRecords): Promise<void>;
  /** Drops what was replaced or deleted up to and including the revision. */
  compact(revision: Revision): Promise<void>;
  close(): Promise<void>;
}

/** The log's content at opening. */
export interface LogContents {
  /** Records after it are history; those up to it are the state at it. */
  readonly compacted: Revision;
  /** To be read once; what cannot be read ends it with a StorageError. */
  readonly records: Iterable<LogRecords> | AsyncIterable<LogRecords>;
}

export function packRecords(records: readonly LogRecord[]): LogRecords {
  let bytes = 0;
  for (const record of records) bytes += record.value?.length ?? 0;
  const packed = {
    keys: records.map((record) => record.key),
    revisions: new Float64Array(records.length),
    previous: new Float64Array(records.length),
    ends: new Uint32Array(records.length),
    deletions: new Uint8Array(records.length),
    values: new Uint8Array(bytes),
  };
  let end = 0;
  records.forEach((record, i) => {
    packed.revisions[i] = record.revision;
    packed.previous[i] = record.previous;
    if (record.value === undefined) packed.deletions[i] = 1;
    else packed.values.set(record.value, end);
    end += record.value?.length ?? 0;
    packed.ends[i] = end;
  });
  return packed;
}

/** Calls `visit` for each record; values are views of the packed buffer. */
export function eachRecord(records: LogRecords, visit: (record: LogRecord) => void): void {
  let start = 0;
  records.keys.forEach((key, i) => {
    const end = records.ends[i] ?? start;
    const value = records.deletions[i] === 1 ? undefined : records.values.subarray(start, end);
    visit({ key, revision: records.revisions[i] ?? 0, previous: records.previous[i] ?? 0, value });
    start = end;
  });
}
