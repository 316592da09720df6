// The durable log: one SQLite file, one row per write, keyed by revision. Appending is an insert at
// the end; compaction deletes rows that were replaced or are deletions. Synchronous; it runs in the
// log's own thread. SQLite's write-ahead log with full synchronisation makes a committed batch
// durable and an uncommitted one nothing.
//
// INVARIANT: rows up to the compacted revision are exactly the state at it, rows after it have
// consecutive revisions. Checked at opening, as is a checksum per row.
//
// The file is locked as long as it is open, by the operating system: the lock dies with the
// process.

import { accessSync, closeSync, constants, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { StorageError } from '../storage.ts';
import type { Revision } from '../storage.ts';
import { eachRecord, packRecords } from './log-records.ts';
import type { LogRecord, LogRecords } from './log-records.ts';
import { toStorageError } from './sqlite-errors.ts';

/** The part of `DatabaseSync` that the log uses: the seam where tests let the disk fail. */
export interface LogDatabase {
  exec(sql: string): void;
  prepare(sql: string): LogStatement;
  close(): void;
}
export interface LogStatement {
  /** Rows come as arrays of columns, which is faster than objects. */
  setReturnArrays(enabled: boolean): void;
  run(...parameters: (string | number | Uint8Array | null)[]): unknown;
  get(...parameters: (string | number)[]): unknown;
  iterate(...parameters: (string | number)[]): Iterable<unknown>;
}

export interface SqliteLogOptions {
  /** The directory that holds the file; made when it is not there. */
  readonly dir: string;
  /** Bound on the file; a write beyond it is refused with `no-space`. */
  readonly diskBytesMax?: number;
  /** Size at which the write-ahead log is moved into the file. */
  readonly walBytesMax?: number;
  /**
   * False writes without waiting for the disk: what a killed process wrote survives, what a machine
   * wrote before it lost power may not, and the file may be damaged then.
   */
  readonly fsync?: boolean;
  readonly openDatabase?: (path: string) => LogDatabase;
}

export interface SqliteLog {
  readonly compacted: Revision;
  /** All rows in revision order, in packs. */
  read(): Iterable<LogRecords>;
  /** Writes all records in one durable transaction. */
  append(records: LogRecords): void;
  compact(revision: Revision): void;
  /** Does what may be put off until nobody waits: moves the write-ahead log into the file. */
  tidy(): void;
  close(): void;
}

const fileName = 'keelson.db';
// "Keel" in ASCII, at the place where SQLite keeps the file's kind (`PRAGMA application_id`).
const applicationId = 0x4b65656c;
const formatVersion = 1;
// Holds several objects of a few kilobytes; measured against 4 and 8 KiB, which need more reading
// at start-up and write no faster.
const pageBytes = 16_384;
// The write-ahead log is moved into the file at this size: about 10 ms in which writers wait;
// measured against 2, 8 and 16 MiB, which change the longest wait but not the rate.
const walBytesMaxDefault = 4 * 1024 * 1024;
const packBytes = 512 * 1024;

const schema = `
  CREATE TABLE log (
    revision INTEGER PRIMARY KEY,
    previous INTEGER NOT NULL,
    key TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    value BLOB
  ) STRICT;
  CREATE TABLE compaction (id INTEGER PRIMARY KEY CHECK (id = 0), revision INTEGER NOT NULL) STRICT;
  INSERT INTO compaction VALUES (0, 1);
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`;

/** Opens or creates the log. Throws a StorageError of one sentence when it cannot be used. */
export function openSqliteLog(options: SqliteLogOptions): SqliteLog {
  const { dir } = options;
  const path = join(dir, fileName);
  try {
    prepareFile(dir, path);
  } catch (cause) {
    throw toStorageError(cause, `the storage directory ${dir} cannot be used`);
  }
  let database: LogDatabase | undefined;
  try {
    database = (options.openDatabase ?? openDatabase)(path);
    prepareDatabase(database, options);
    return createLog(database, options);
  } catch (cause) {
    database?.close();
    throw toStorageError(cause, `the storage in ${dir} cannot be opened`);
  }
}

/** The values are secrets: directory and file are for their owner only. */
function prepareFile(dir: string, path: string): void {
  if (mkdirSync(dir, { recursive: true, mode: 0o700 }) !== undefined) syncDirectory(dirname(dir));
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  // SQLite would open what it may not write and complain later, in other words.
  for (const name of [dir, path]) accessSync(name, constants.R_OK | constants.W_OK);
}

/** Makes new names in a directory durable. */
function syncDirectory(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function openDatabase(path: string): LogDatabase {
  return new DatabaseSync(path, { allowExtension: false, enableDoubleQuotedStringLiterals: false });
}

function prepareDatabase(database: LogDatabase, options: SqliteLogOptions): void {
  // With the exclusive mode the lock taken by the first transaction is kept until close.
  database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = ${pageBytes}`);
  database.exec('BEGIN EXCLUSIVE');
  const kind = pragma(database, 'application_id');
  const format = pragma(database, 'user_version');
  if (kind === 0 && pragma(database, 'schema_version') === 0) database.exec(schema);
  else if (kind !== applicationId) {
    throw new StorageError('failed', `the storage in ${options.dir} belongs to another program`);
  } else if (format !== formatVersion) {
    const message = `the storage in ${options.dir} has format ${format}`;
    throw new StorageError('failed', `${message}, this version reads ${formatVersion}`);
  }
  database.exec('COMMIT');
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${options.fsync === false ? 'OFF' : 'FULL'};
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA cell_size_check = ON;
  `);
  if (options.diskBytesMax !== undefined) {
    database.exec(`PRAGMA max_page_count = ${Math.ceil(options.diskBytesMax / pageBytes)}`);
  }
}

function createLog(database: LogDatabase, options: SqliteLogOptions): SqliteLog {
  const { dir, walBytesMax = walBytesMaxDefault } = options;
  const insert = database.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)');
  const compacted = readCompacted(database, dir);
  let walBytes = 0;
  return {
    compacted,
    read: () => readRecords(database, { compacted, dir }),
    append(records) {
      walBytes += records.values.length + pageBytes;
      try {
        transaction(database, 'the write cannot be made durable', () => {
          eachRecord(records, ({ key, revision, previous, value }) => {
            insert.run(revision, previous, key, checksum(key, revision, value), value ?? null);
          });
        });
      } catch (error) {
        // Moving the write-ahead log into pages that are free is the one way to gain space.
        walBytes = Infinity;
        throw error;
      }
    },
    compact(revision) {
      transaction(database, 'the storage cannot be compacted', () => compact(database, revision));
      walBytes += pageBytes;
    },
    tidy() {
      if (walBytes < walBytesMax) return;
      walBytes = 0;
      try {
        database.exec('PRAGMA wal_checkpoint(PASSIVE)');
      } catch (cause) {
        // On a full disk the write-ahead log stays, and is moved when there is space.
        const error = toStorageError(cause, 'the write-ahead log cannot be moved');
        if (error.code !== 'no-space') throw error;
      }
    },
    close: () => database.close(),
  };
}

function readCompacted(database: LogDatabase, dir: string): Revision {
  const row = database.prepare('SELECT revision FROM compaction').get();
  const revision = column(row, 'revision');
  if (typeof revision === 'number' && revision >= 1) return revision;
  throw damaged(dir, 'the compacted revision is missing');
}

function transaction(database: LogDatabase, failure: string, body: () => void): void {
  try {
    database.exec('BEGIN IMMEDIATE');
    body();
    database.exec('COMMIT');
  } catch (cause) {
    const error = toStorageError(cause, failure);
    if (error.code !== 'no-space') throw error;
    rollBack(database);
    throw error;
  }
}

/** For a full disk SQLite may have rolled back already; then there is no transaction to end. */
function rollBack(database: LogDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('no transaction is active'))) {
      throw toStorageError(error, 'the failed write cannot be taken back');
    }
  }
}

function compact(database: LogDatabase, revision: Revision): void {
  const range = 'revision > (SELECT revision FROM compaction) AND revision <= ?';
  database
    .prepare(`DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE ${range})`)
    .run(revision);
  database.prepare(`DELETE FROM log WHERE ${range} AND value IS NULL`).run(revision);
  database.prepare('UPDATE compaction SET revision = max(revision, ?)').run(revision);
}

function* readRecords(
  database: LogDatabase,
  from: { readonly compacted: Revision; readonly dir: string },
): Iterable<LogRecords> {
  let pack: LogRecord[] = [];
  let bytes = 0;
  let next = from.compacted + 1;
  const select = database.prepare(
    'SELECT revision, previous, key, checksum, value FROM log ORDER BY revision',
  );
  select.setReturnArrays(true);
  for (const row of select.iterate()) {
    const record = decodeRow(row, from.dir);
    if (record.revision > from.compacted && record.revision !== next++) {
      throw damaged(from.dir, `the write at revision ${next - 1} is missing`);
    }
    pack.push(record);
    bytes += record.value?.length ?? 0;
    if (bytes < packBytes) continue;
    yield packRecords(pack);
    pack = [];
    bytes = 0;
  }
  if (pack.length > 0) yield packRecords(pack);
}

function decodeRow(row: unknown, dir: string): LogRecord {
  const [revision, previous, key, sum, stored]: readonly unknown[] = Array.isArray(row) ? row : [];
  const value = stored ?? undefined;
  if (
    typeof key !== 'string' ||
    typeof revision !== 'number' ||
    typeof previous !== 'number' ||
    !(value === undefined || value instanceof Uint8Array)
  ) {
    throw damaged(dir, 'a row has the wrong types');
  }
  if (sum !== checksum(key, revision, value)) {
    throw damaged(dir, `the value of ${key} at revision ${revision} does not match its checksum`);
  }
  return { key, revision, previous, value };
}

function damaged(dir: string, what: string): StorageError {
  return new StorageError('corrupt', `the storage in ${dir} is damaged: ${what}`);
}

function checksum(key: string, revision: Revision, value: Uint8Array | undefined): number {
  const name = crc32(`${revision} ${key}`);
  return value === undefined ? name : crc32(value, name);
}

function pragma(database: LogDatabase, name: string): number {
  return Number(column(database.prepare(`PRAGMA ${name}`).get(), name));
}

function column(row: unknown, name: string): unknown {
  return typeof row === 'object' && row !== null ? Reflect.get(row, name) : undefined;
}
