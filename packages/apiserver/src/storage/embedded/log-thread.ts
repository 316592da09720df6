// The log's thread as the store sees it: requests go out, replies come back in the same order. The
// thread keeps the process alive only while a request is under way; then everything is on disk.

import { Worker } from 'node:worker_threads';
import { StorageError } from '../storage.ts';
import type { Revision, StorageErrorCode } from '../storage.ts';
import type { DurableLog, LogContents, LogRecords } from './log-records.ts';
import type { SqliteLogOptions } from './sqlite-log.ts';

export type LogRequest =
  | { readonly op: 'append'; readonly records: LogRecords }
  | { readonly op: 'compact'; readonly revision: Revision }
  | { readonly op: 'close' };

export type LogReply =
  | { readonly type: 'records'; readonly records: LogRecords }
  | { readonly type: 'opened'; readonly compacted: Revision }
  | { readonly type: 'done' }
  | {
      readonly type: 'error';
      readonly code: StorageErrorCode;
      readonly message: string;
      readonly cause: string;
    };

export interface LogThreadOptions extends Omit<SqliteLogOptions, 'openDatabase'> {
  /** The worker's entry point, for a bundle that keeps it elsewhere. */
  readonly workerUrl?: URL;
}

/**
 * Starts the thread, which opens the log and then reads it while the content is being taken.
 * Rejects with a StorageError of one sentence.
 */
export async function openLogThread(
  options: LogThreadOptions,
): Promise<{ readonly log: DurableLog; readonly contents: LogContents }> {
  const { workerUrl = new URL('./log-worker.ts', import.meta.url), ...logOptions } = options;
  const workerData: SqliteLogOptions = logOptions;
  const worker = new Worker(workerUrl, { workerData, name: 'keelson-storage-log' });
  const replies = createReplyQueue(worker);
  const opened = replies.next();
  const packs = createPackQueue(replies.next());
  let compacted: Revision = 0;
  worker.on('message', (reply: LogReply) => {
    if (reply.type === 'records') return packs.push(reply.records);
    if (reply.type === 'opened') compacted = reply.compacted;
    if (reply.type === 'error') return replies.reject(errorOf(reply));
    replies.resolve();
  });
  try {
    await opened;
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  const contents = { compacted, records: packs.taken() };
  return { log: createThreadLog(worker, replies), contents };
}

interface PackQueue {
  push(records: LogRecords): void;
  /** What was and will be pushed, until the end. */
  taken(): AsyncIterable<LogRecords>;
}

function createPackQueue(end: Promise<void>): PackQueue {
  const packs: LogRecords[] = [];
  let ended = false;
  let wake = () => {};
  const onEnd = () => {
    ended = true;
    wake();
  };
  end.then(onEnd, onEnd);
  return {
    push(records) {
      packs.push(records);
      wake();
    },
    async *taken() {
      for (;;) {
        const records = packs.shift();
        if (records !== undefined) yield records;
        else if (ended) return void (await end);
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

function createThreadLog(worker: Worker, replies: ReplyQueue): DurableLog {
  function request(message: LogRequest, transfer: ArrayBuffer[] = []): Promise<void> {
    const done = replies.next();
    worker.postMessage(message, transfer);
    return done;
  }
  return {
    append: (records) => request({ op: 'append', records }, [records.values.buffer]),
    compact: (revision) => request({ op: 'compact', revision }),
    async close() {
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      await request({ op: 'close' });
      worker.ref();
      await exited;
    },
  };
}

interface ReplyQueue {
  /** Settles with the reply to the next request. */
  next(): Promise<void>;
  /** The oldest request that is not answered yet has been. */
  resolve(): void;
  reject(error: StorageError): void;
}

/** When the thread ends, every request that is or will be waiting is rejected. */
function createReplyQueue(worker: Worker): ReplyQueue {
  const waiting: { resolve(): void; reject(error: StorageError): void }[] = [];
  let ended: StorageError | undefined;

  function oldest() {
    const first = waiting.shift();
    if (waiting.length === 0) worker.unref();
    return first;
  }
  function end(cause: unknown): void {
    ended ??= new StorageError('failed', "the storage's log thread has ended", { cause });
    while (waiting.length > 0) oldest()?.reject(ended);
  }
  worker.on('error', end);
  worker.on('exit', (code) => end(new Error(`exit code ${code}`)));
  return {
    next() {
      if (ended !== undefined) return Promise.reject(ended);
      worker.ref();
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    resolve: () => oldest()?.resolve(),
    reject: (error) => oldest()?.reject(error),
  };
}

function errorOf(reply: LogReply & { readonly type: 'error' }): StorageError {
  const cause = reply.cause === '' ? undefined : new Error(reply.cause);
  return new StorageError(reply.code, reply.message, { cause });
}
