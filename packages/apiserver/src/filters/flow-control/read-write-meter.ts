// Requests that wait and that run, reading and writing ones apart, over time.

import type { Clock } from '@keelson/apimachinery';
import { createTimedRatio, type TimedRatio } from './distribution.ts';

export type RequestKind = 'readOnly' | 'mutating';
export type Phase = 'waiting' | 'executing';

export interface ReadWriteMeter {
  /** One more or one fewer. */
  change(phase: Phase, kind: RequestKind, by: 1 | -1, nowMs: number): void;
  /** What there is room for. */
  setRoom(phase: Phase, room: number): void;
  count(phase: Phase, kind: RequestKind): number;
  ratio(phase: Phase, kind: RequestKind): TimedRatio;
}

export const requestKinds: readonly RequestKind[] = ['mutating', 'readOnly'];
export const phases: readonly Phase[] = ['waiting', 'executing'];

const bounds = [0, 0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];

export function createReadWriteMeter(clock: Clock): ReadWriteMeter {
  const create = () => ({ count: 0, ratio: createTimedRatio(bounds, clock.monotonic()) });
  const cells = {
    waiting: { readOnly: create(), mutating: create() },
    executing: { readOnly: create(), mutating: create() },
  };
  return {
    change(phase, kind, by, nowMs) {
      const cell = cells[phase][kind];
      cell.count += by;
      cell.ratio.set(cell.count, nowMs);
    },
    setRoom(phase, room) {
      for (const kind of requestKinds) {
        cells[phase][kind].ratio.setDenominator(Math.max(1, room), clock.monotonic());
      }
    },
    count: (phase, kind) => cells[phase][kind].count,
    ratio: (phase, kind) => cells[phase][kind].ratio,
  };
}
