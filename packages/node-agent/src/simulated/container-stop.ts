// How a running container is told to end: its hook, SIGTERM, and SIGKILL when that took too long.

import { ruledAnswerOf } from './exec-answers.ts';
import type { Moment } from './node-surroundings.ts';
import { isRunning, type ContainerRecord } from './pod-record.ts';

/** The exit code of a process that SIGKILL ended. */
export const killedCode = 137;

export interface StopOrder {
  readonly now: number;
  /** When SIGKILL ends it. */
  readonly killAt: number;
  readonly message: string;
  readonly moment: Moment;
}

/** What a kubelet leaves even to containers whose time is up, unless there was none at all. */
const graceMinMs = 2_000;

export function stopContainer(container: ContainerRecord, order: StopOrder): void {
  if (!isRunning(container) || container.stop !== undefined) return;
  const { now, killAt, message, moment } = order;
  const { record, node } = moment;
  node.emit(record, { type: 'Normal', reason: 'Killing', message }, container);
  const hookMs = preStopMs(container, moment);
  const { stopAfterMs } = container.behaviour;
  const grace = killAt - now;
  const termAt = now + Math.min(hookMs, grace);
  const limit = grace === 0 ? now : Math.max(killAt, termAt + graceMinMs);
  const isKilled = termAt + stopAfterMs > limit;
  container.stop = isKilled
    ? { exitAt: limit, exitCode: killedCode }
    : { exitAt: termAt + stopAfterMs, exitCode: 0 };
}

/** How long the hook takes; one that fails takes no time and is told of. */
function preStopMs(container: ContainerRecord, moment: Moment): number {
  const { spec, behaviour } = container;
  const { sleep, exec } = spec.lifecycle?.preStop ?? {};
  if (sleep !== undefined) return Number(sleep.seconds) * 1_000;
  const command = exec?.command;
  if (command === undefined) return 0;
  const [program = '', seconds = ''] = command.slice(-2);
  if (/(?:^|\/)sleep$/.test(program) && /^\d+(?:\.\d+)?s?$/.test(seconds))
    return parseFloat(seconds) * 1_000;
  const script = /^\s*sleep\s+(\d+(?:\.\d+)?)\s*$/.exec(command.at(-1) ?? '');
  if (script !== null) return Number(script[1]) * 1_000;
  if ((ruledAnswerOf(behaviour.exec, command)?.exitCode ?? 0) !== 0) {
    const message = 'PreStopHook failed';
    const event = { type: 'Warning', reason: 'FailedPreStopHook', message } as const;
    moment.node.emit(moment.record, event, container);
  }
  return 0;
}
