// The log of a simulated container, which nobody keeps: each line follows from the behaviour and the
// time of the start. Of a run that has written more than a kubelet keeps, the end is there.

import { formatMicroTime } from '@keelson/apimachinery';
import type { ContainerRecord } from '../simulated/pod-record.ts';

export interface LogOptions {
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly sinceMs: number | undefined;
}

/** One run of a container; `endedAt` is undefined while it lasts. */
export interface LogRun {
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}

export interface LogLines {
  readonly lines: readonly string[];
  /** Where a follower goes on. */
  readonly next: number;
  /** When there is more; undefined: never. */
  readonly nextAt: number | undefined;
}

const linesMax = 10_000;

export function runOf(container: ContainerRecord, previous: boolean): LogRun | undefined {
  const { phase, last } = container;
  const ended = previous || phase.is === 'waiting' ? last : undefined;
  if (ended !== undefined) return { startedAt: ended.startedAt, endedAt: ended.finishedAt };
  if (previous || phase.is === 'waiting') return undefined;
  if (phase.is === 'running') return { startedAt: phase.startedAt, endedAt: undefined };
  return { startedAt: phase.how.startedAt, endedAt: phase.how.finishedAt };
}

/** Lines from number `first` on, as they are written to the wire. */
export function logLines(
  { behaviour }: ContainerRecord,
  { run, now, first }: { readonly run: LogRun; readonly now: number; readonly first: number },
  { timestamps, sinceMs = -Infinity, tailLines = Infinity }: LogOptions,
): LogLines {
  const { logLines: texts, logEveryMs } = behaviour;
  if (texts.length === 0) return { lines: [], next: first, nextAt: undefined };
  const end = Math.min(now, run.endedAt ?? now);
  const isEndless = logEveryMs > 0;
  const count = isEndless ? Math.floor((end - run.startedAt) / logEveryMs) + 1 : texts.length;
  const atOf = (line: number) => run.startedAt + line * logEveryMs;
  const from = Math.max(first, count - Math.min(tailLines, linesMax), 0);
  const lines: string[] = [];
  for (let line = from; line < count; line++) {
    const at = atOf(line);
    if (at < sinceMs) continue;
    const text = texts[line % texts.length] ?? '';
    lines.push(timestamps ? `${formatMicroTime(at)} ${text}\n` : `${text}\n`);
  }
  const hasMore = isEndless && run.endedAt === undefined;
  return { lines, next: Math.max(count, first), nextAt: hasMore ? atOf(count) : undefined };
}
