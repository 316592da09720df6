// The log's thread: opens the SQLite log, sends what is in it, then does what it is told, one
// request after the other. It answers a request before it tidies up.

import { parentPort, workerData } from 'node:worker_threads';
import { isStorageError } from '../storage.ts';
import type { LogReply, LogRequest } from './log-thread.ts';
import { openSqliteLog } from './sqlite-log.ts';
import type { SqliteLog, SqliteLogOptions } from './sqlite-log.ts';

const port = parentPort;
if (port === null) throw new Error('the log worker runs only as a worker thread');

function reply(message: LogReply, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function perform(log: SqliteLog, request: LogRequest): void {
  switch (request.op) {
    case 'append':
      return log.append(request.records);
    case 'compact':
      return log.compact(request.revision);
    case 'close':
      return log.close();
  }
}

function attempt(body: () => void): boolean {
  try {
    body();
    return true;
  } catch (error) {
    const code = isStorageError(error) ? error.code : 'failed';
    const message = error instanceof Error ? error.message : String(error);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
    reply({ type: 'error', code, message, cause });
    return false;
  }
}

let log: SqliteLog | undefined;
attempt(() => {
  const opened = openSqliteLog(workerData as SqliteLogOptions);
  log = opened;
  reply({ type: 'opened', compacted: opened.compacted });
  for (const records of opened.read()) reply({ type: 'records', records }, [records.values.buffer]);
  reply({ type: 'done' });
});

port.on('message', (request: LogRequest) => {
  const opened = log;
  if (opened === undefined) return;
  if (attempt(() => perform(opened, request))) reply({ type: 'done' });
  if (request.op === 'close') port.close();
  else opened.tidy();
});
