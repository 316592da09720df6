// From the log's content to the store's history: the state at the compacted revision, then every
// write after it. Values stay bytes until somebody reads the object.

import { StorageError } from '../storage.ts';
import type { StorageKey } from '../storage.ts';
import {
  sortKey,
  treeDelete,
  treeFromSorted,
  treeGet,
  treeSet,
} from '../memory/persistent-tree.ts';
import { createRevisionHistory } from '../memory/revision-history.ts';
import type {
  EntryTree,
  HistoryEvent,
  HistoryLimits,
  RevisionHistory,
} from '../memory/revision-history.ts';
import { StoredObject, withResourceVersion } from '../memory/stored-object.ts';
import { eachRecord } from './log-records.ts';
import type { LogContents, LogRecord, LogRecords } from './log-records.ts';
import type { TransformedValue, ValueTransformer } from './value-transformer.ts';

export interface RestoreOptions {
  readonly limits: HistoryLimits;
  readonly freeze: boolean;
  readonly transformer?: ValueTransformer;
}

interface OpenedRecord extends LogRecord {
  readonly opened: TransformedValue | StorageError | undefined;
}

/** Throws `corrupt` when the log contradicts itself. */
export async function restoreHistory(
  contents: LogContents,
  options: RestoreOptions,
): Promise<RevisionHistory> {
  const { compacted, records } = contents;
  const { freeze, limits, transformer } = options;
  const state = new Map<string, StoredObject>();
  let tree: EntryTree;
  let history: RevisionHistory | undefined;
  const begin = () => {
    tree = treeOf(state);
    return createRevisionHistory({ revision: compacted, tree }, limits);
  };
  // Records come in the order of their revisions, so the state is whole when history begins.
  for await (const pack of records) {
    for (const record of await openRecords(pack, transformer)) {
      const key = sortKey(record.key);
      if (record.revision <= compacted) state.set(key, entryOf(record, freeze));
      else {
        history ??= begin();
        const event = eventOf(record, treeGet(tree, key), freeze);
        tree = event.type === 'DELETED' ? treeDelete(tree, key) : treeSet(tree, key, event.entry);
        history.append(event, tree);
      }
    }
  }
  return history ?? begin();
}

function treeOf(state: ReadonlyMap<string, StoredObject>): EntryTree {
  const keys = [...state.keys()].sort();
  const entries = keys.map((key) => state.get(key) as StoredObject);
  return treeFromSorted(keys, entries);
}

async function openRecords(
  pack: LogRecords,
  transformer: ValueTransformer | undefined,
): Promise<OpenedRecord[]> {
  const records: (OpenedRecord | Promise<OpenedRecord>)[] = [];
  eachRecord(pack, (record) => records.push(openRecord(record, transformer)));
  return transformer === undefined ? (records as OpenedRecord[]) : Promise.all(records);
}

function openRecord(
  record: LogRecord,
  transformer: ValueTransformer | undefined,
): OpenedRecord | Promise<OpenedRecord> {
  const { key, value } = record;
  if (value === undefined) return { ...record, opened: undefined };
  if (transformer === undefined) return { ...record, opened: { value, isStale: false } };
  return openValue(transformer, key, value).then((opened) => ({ ...record, opened }));
}

async function openValue(
  transformer: ValueTransformer,
  key: StorageKey,
  stored: Uint8Array,
): Promise<TransformedValue | StorageError> {
  try {
    return await transformer.fromStored(stored, key);
  } catch (cause) {
    // One value that cannot be decrypted must not keep the rest from being served.
    return new StorageError('corrupt', `the stored value of ${key} cannot be decrypted`, {
      key,
      cause,
    });
  }
}

function entryOf(record: OpenedRecord, freeze: boolean): StoredObject {
  const { key, revision, opened } = record;
  if (opened === undefined || opened instanceof StorageError) {
    const load = () => {
      throw opened ?? new StorageError('corrupt', `${key} has no value`, { key });
    };
    return new StoredObject({ key, revision, load, freeze });
  }
  return new StoredObject({ key, revision, bytes: opened.value, stale: opened.isStale, freeze });
}

function eventOf(
  record: OpenedRecord,
  previous: StoredObject | undefined,
  freeze: boolean,
): HistoryEvent {
  const { key, revision } = record;
  if ((previous?.revision ?? 0) !== record.previous) {
    const message = `the log is damaged: ${key} at ${revision} does not follow ${record.previous}`;
    throw new StorageError('corrupt', message, { key });
  }
  if (record.value === undefined && previous !== undefined) {
    const load = () => withResourceVersion(previous.object, revision);
    const entry = new StoredObject({ key, revision, load, freeze });
    return { type: 'DELETED', revision, entry, previous };
  }
  const entry = entryOf(record, freeze);
  if (previous === undefined) return { type: 'ADDED', revision, entry };
  return { type: 'MODIFIED', revision, entry, previous };
}
