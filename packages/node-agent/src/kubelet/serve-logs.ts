// `/containerLogs/NAMESPACE/POD/CONTAINER`: what a container wrote, and with `follow` what it goes on
// to write until it ends.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { sleep, type Clock } from '@keelson/apimachinery';
import type { ContainerRecord, PodRecord } from '../simulated/pod-record.ts';
import { logLines, runOf, type LogOptions } from './container-log.ts';
import { waitingReason } from '../simulated/container-status.ts';
import { answerText } from './answers.ts';

export interface LogRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly record: PodRecord;
  readonly container: ContainerRecord;
  readonly clock: Clock;
}

/** How soon a follower sees that the container has ended. */
const lookMs = 1_000;

export async function serveLogs(asked: LogRequest): Promise<void> {
  const { response, query, record, container, clock } = asked;
  const options = logOptions(query, clock.now());
  const run = runOf(container, options.previous);
  if (run === undefined) return answerText(response, 400, missingText(asked, options));
  const write = limitedWriter(response, query.get('limitBytes'));
  response.writeHead(200, { 'content-type': 'text/plain' });
  let { lines, next, nextAt } = logLines(container, { run, now: clock.now(), first: 0 }, options);
  let isOpen = write(lines);
  response.flushHeaders();
  const gone = new AbortController();
  asked.request.on('close', () => gone.abort());
  response.on('close', () => gone.abort());
  const follows = query.get('follow') === 'true';
  const follower = { ...options, tailLines: undefined };
  while (follows && isOpen && !gone.signal.aborted) {
    const now = clock.now();
    const current = runOf(container, false);
    const isOver = current?.startedAt !== run.startedAt || current.endedAt !== undefined;
    const ended = isOver ? (current?.endedAt ?? now) : undefined;
    const known = { startedAt: run.startedAt, endedAt: ended };
    ({ lines, next, nextAt } = logLines(container, { run: known, now, first: next }, follower));
    isOpen = write(lines);
    if (isOver || record.finalPhase !== undefined) break;
    const wait = Math.min(Math.max((nextAt ?? Infinity) - now, 1), lookMs);
    await sleep(clock, wait, gone.signal).catch(() => {});
  }
  response.end();
}

function logOptions(query: URLSearchParams, now: number): LogOptions {
  const tail = query.get('tailLines');
  const seconds = query.get('sinceSeconds');
  const time = query.get('sinceTime');
  const sinceMs = seconds === null ? (time === null ? undefined : Date.parse(time)) : undefined;
  return {
    previous: query.get('previous') === 'true',
    timestamps: query.get('timestamps') === 'true',
    tailLines: tail === null ? undefined : Number(tail),
    sinceMs: seconds === null ? sinceMs : now - Number(seconds) * 1_000,
  };
}

function missingText({ record, container }: LogRequest, { previous }: LogOptions): string {
  const { name } = container.spec;
  const pod = record.pod.metadata?.name;
  if (previous) return `previous terminated container "${name}" in pod "${pod}" not found`;
  const reason = waitingReason(container, record);
  const known: Readonly<Record<string, string>> = {
    ErrImagePull: "image can't be pulled",
    ImagePullBackOff: 'trying and failing to pull image',
  };
  return `container "${name}" in pod "${pod}" is waiting to start: ${known[reason] ?? reason}`;
}

/** Writes up to so many bytes; answers whether there may be more. */
function limitedWriter(response: ServerResponse, limit: string | null) {
  let left = limit === null ? Infinity : Number(limit);
  return (lines: readonly string[]): boolean => {
    const bytes = Buffer.from(lines.join(''));
    const part = bytes.subarray(0, Math.min(left, bytes.length));
    left -= part.length;
    if (part.length > 0) response.write(part);
    return left > 0;
  };
}
