// From what SQLite and the file system report to a StorageError of one sentence. The one decision
// made here: only a full disk is survivable, for then SQLite has taken the transaction back; after
// any other failure of a write nobody knows what is on the disk, and the store must stop.

import { StorageError } from '../storage.ts';
import type { StorageErrorCode } from '../storage.ts';

interface Reason {
  readonly code: StorageErrorCode;
  readonly text: string;
}

// Primary result codes, https://sqlite.org/rescode.html; extended codes carry them in the low byte.
const sqliteReasons: Readonly<Record<number, Reason>> = {
  3: { code: 'failed', text: 'permission denied' },
  5: { code: 'failed', text: 'another process is using it' },
  6: { code: 'failed', text: 'another process is using it' },
  8: { code: 'failed', text: 'the file is read-only' },
  10: { code: 'failed', text: 'the disk reports an input or output error' },
  11: { code: 'corrupt', text: 'the file is damaged' },
  13: { code: 'no-space', text: 'no space is left' },
  14: { code: 'failed', text: 'the file cannot be opened' },
  26: { code: 'corrupt', text: 'the file is not a Keelson database' },
};

const systemReasons: Readonly<Record<string, Reason>> = {
  EACCES: { code: 'failed', text: 'permission denied' },
  EPERM: { code: 'failed', text: 'permission denied' },
  EROFS: { code: 'failed', text: 'the file system is read-only' },
  ENOTDIR: { code: 'failed', text: 'a part of the path is not a directory' },
  EEXIST: { code: 'failed', text: 'a part of the path is not a directory' },
  ENOSPC: { code: 'no-space', text: 'no space is left' },
  EDQUOT: { code: 'no-space', text: 'the disk quota is used up' },
};

/** `what` begins the sentence: "the storage in /data cannot be opened". */
export function toStorageError(cause: unknown, what: string): StorageError {
  if (cause instanceof StorageError) return cause;
  const reason = reasonOf(cause);
  return new StorageError(reason.code, `${what}: ${reason.text}`, { cause });
}

function reasonOf(cause: unknown): Reason {
  if (!(cause instanceof Error)) return { code: 'failed', text: String(cause) };
  const known =
    'errcode' in cause && typeof cause.errcode === 'number'
      ? sqliteReasons[cause.errcode & 0xff]
      : 'code' in cause && systemReasons[String(cause.code)];
  return known || { code: 'failed', text: cause.message };
}
