// One pod on its node, as a kubelet leads it: volumes, init containers one after the other with
// sidecars among them, then its containers, until all have ended, the time is up, the node evicts
// it or somebody deletes it. `stepPod` is called when something has changed or is due; it does
// everything that is due then.

import { stepContainer, stepRunning } from './container-life.ts';
import { wantsRestart } from './container-restart.ts';
import { stopContainer } from './container-stop.ts';
import type { Moment, NodeSurroundings } from './node-surroundings.ts';
import { beginStop, failWhenDue, graceMs } from './pod-failure.ts';
import { stepResize } from './pod-resize.ts';
import { stepRestartAll } from './restart-all.ts';
import { isRunning, type ContainerRecord, type PodRecord } from './pod-record.ts';

/** When the pod wants to be called again; Infinity when only a change can call it. */
export function stepPod(record: PodRecord, now: number, node: NodeSurroundings): number {
  let next = Infinity;
  const wakeAt = (ms: number) => {
    if (ms < next) next = ms;
  };
  const moment: Moment = { record, now, node, wakeAt };
  if (record.finalPhase !== undefined && !hasRunning(record)) return next;
  beginDeletion(moment);
  failWhenDue(moment);
  stepResize(moment);
  if (record.stop === undefined) runContainers(moment);
  if (record.stop !== undefined) endContainers(moment);
  settlePhase(record);
  return next;
}

export const hasRunning = (record: PodRecord): boolean => record.containers.some(isRunning);

/** Nothing of the pod is left on the node, and it is to go: the API object can go too. */
export function isGone(record: PodRecord): boolean {
  return record.pod.metadata?.deletionTimestamp !== undefined && !hasRunning(record);
}

function beginDeletion(moment: Moment): void {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = moment.record.pod.metadata ?? {};
  if (deletionTimestamp === undefined || deletionTimestamp === null) return;
  const graceMs = Number(deletionGracePeriodSeconds) * 1_000;
  const deadline = moment.now + graceMs;
  const { stop } = moment.record;
  if (stop === undefined) beginStop(moment, graceMs);
  // Somebody was less patient than the first one.
  else if (deadline < stop.deadline) shortenStop(moment, deadline);
}

function shortenStop(moment: Moment, deadline: number): void {
  const { record, now } = moment;
  record.stop = { since: record.stop?.since ?? now, deadline };
  for (const container of record.containers) {
    if (container.stop === undefined || container.stop.exitAt <= deadline) continue;
    container.stop = { exitAt: deadline, exitCode: 137 };
  }
}

function runContainers(moment: Moment): void {
  const { record } = moment;
  // Nobody starts anything before its volumes are there; what runs goes on.
  if (!record.isSetUp) {
    for (const container of record.containers) stepRunning(container, moment);
    return;
  }
  if (!stepRestartAll(moment)) {
    record.isInitialized = stepInitContainers(moment);
    if (record.isInitialized)
      for (const container of ofRole(record, 'main')) stepContainer(container, moment);
  }
  for (const container of ofRole(record, 'ephemeral')) stepContainer(container, moment);
  // Sidecars have done their work when the containers have.
  if (areMainsDone(record) && ofRole(record, 'sidecar').some(isRunning)) endSidecars(moment);
}

/** True when all have done their part. */
function stepInitContainers(moment: Moment): boolean {
  const { record } = moment;
  // What has been done is not done again, unless all begins again.
  const hasBegun = record.isInitialized && ofRole(record, 'main').some(hasStarted);
  for (const container of record.containers) {
    if (container.role === 'init') {
      if (hasBegun || hasSucceeded(container)) continue;
      stepContainer(container, moment);
      if (!hasSucceeded(container)) return false;
    } else if (container.role === 'sidecar') {
      if (areMainsDone(record)) stepRunning(container, moment);
      else stepContainer(container, moment);
      if (!container.started && !hasBegun) return false;
    }
  }
  return true;
}

export const hasStarted = ({ phase, last }: ContainerRecord) =>
  phase.is !== 'waiting' || last !== undefined;
export const hasSucceeded = ({ phase }: ContainerRecord) =>
  phase.is === 'terminated' && phase.how.exitCode === 0;

export const ofRole = (record: PodRecord, role: ContainerRecord['role']): ContainerRecord[] =>
  record.containers.filter((container) => container.role === role);

const areMainsDone = (record: PodRecord): boolean =>
  ofRole(record, 'main').every((container) => isDone(container, record));

const isDone = (container: ContainerRecord, record: PodRecord): boolean =>
  container.phase.is === 'terminated' && !wantsRestart(container, record);

/** All at once; sidecars when the others have ended, the last one first. */
function endContainers(moment: Moment): void {
  const { record, now } = moment;
  const { deadline } = record.stop ?? { deadline: now };
  for (const container of record.containers) {
    if (container.role === 'sidecar') continue;
    stop(container, deadline, moment);
    stepRunning(container, moment);
  }
  const others = record.containers.filter(({ role }) => role !== 'sidecar');
  if (!others.some(isRunning)) endSidecars(moment);
}

function endSidecars(moment: Moment): void {
  const { record, now } = moment;
  const deadline = record.stop?.deadline ?? now + graceMs(record.pod);
  for (const container of ofRole(record, 'sidecar').toReversed()) {
    stop(container, deadline, moment);
    stepRunning(container, moment);
    if (isRunning(container)) return;
  }
}

function stop(container: ContainerRecord, deadline: number, moment: Moment): void {
  stopContainer(container, {
    now: moment.now,
    killAt: Math.max(deadline, moment.now),
    message: `Stopping container ${container.spec.name}`,
    moment,
  });
}

/** Succeeded and Failed stay. */
function settlePhase(record: PodRecord): void {
  if (record.finalPhase !== undefined || hasRunning(record)) return;
  if (record.failure !== undefined) record.finalPhase = 'Failed';
  else if (record.stop !== undefined)
    record.finalPhase = ofRole(record, 'main').every(hasSucceeded) ? 'Succeeded' : 'Failed';
  else record.finalPhase = endOf(record);
}

function endOf(record: PodRecord): PodRecord['finalPhase'] {
  const isStuck = (container: ContainerRecord) =>
    isDone(container, record) && !hasSucceeded(container);
  if (ofRole(record, 'init').some(isStuck)) return 'Failed';
  if (!areMainsDone(record)) return undefined;
  return ofRole(record, 'main').every(hasSucceeded) ? 'Succeeded' : 'Failed';
}
