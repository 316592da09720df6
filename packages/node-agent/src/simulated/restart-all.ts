// A rule of a container may restart all of its pod in place when it ends with certain exit codes
// (KEP-5532): whatever runs is killed and removed, and the pod begins again with its init
// containers, on the same node and with the same volumes and addresses.

import { ruleFor } from './container-restart.ts';
import { killedCode } from './container-stop.ts';
import type { Moment } from './node-surroundings.ts';
import { freshPull, type ContainerRecord, type PodRecord } from './pod-record.ts';

const reason = 'RestartingAllContainers';
const message = 'The container is removed because RestartAllContainers in place';
/** Until what was there is removed. */
const removeMs = 1_000;

/** Whether it may come to it: its condition is shown then. */
export const mayRestartAll = ({ containers }: PodRecord): boolean =>
  containers.some(({ spec: { restartPolicyRules = [] } }) =>
    restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  );

/** True while containers are removed; nothing starts then. */
export function stepRestartAll({ record, now, wakeAt }: Moment): boolean {
  if (record.removedAt <= now && record.containers.some((one) => restartsAll(one, now))) {
    record.removedAt = now + removeMs;
    record.isInitialized = false;
    for (const container of record.containers) remove(container, now);
  }
  if (record.removedAt <= now) return false;
  wakeAt(record.removedAt);
  return true;
}

function restartsAll({ spec, phase, noticedAt }: ContainerRecord, now: number): boolean {
  if (phase.is !== 'terminated' || noticedAt > now) return false;
  return ruleFor(spec, phase.how.exitCode)?.action === 'RestartAllContainers';
}

function remove(container: ContainerRecord, now: number): void {
  const { phase, role } = container;
  if (role === 'ephemeral' || (phase.is === 'waiting' && container.last === undefined)) return;
  const { startedAt } =
    phase.is === 'terminated' ? phase.how : phase.is === 'running' ? phase : { startedAt: now };
  container.last = {
    exitCode: killedCode,
    reason,
    message,
    startedAt,
    finishedAt: now,
    containerId: '',
  };
  container.phase = { is: 'waiting', reason, message };
  container.restartCount++;
  container.pull = freshPull();
  container.startsAt = undefined;
  container.stop = undefined;
  container.started = false;
  container.ready = false;
  container.probes = {};
  container.crash = { delayMs: 0, updatedAt: 0, announcedUntil: 0 };
}
