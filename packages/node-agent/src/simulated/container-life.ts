// One container: from its image to its end, and round again. Called with the time of the day, each
// step does what is due then and says when the next one is.

import { ofRun } from './container-behaviour.ts';
import { isRestarted, podText, stepBackoff, stepRestart } from './container-restart.ts';
import { killedCode, stopContainer } from './container-stop.ts';
import { isToldOf, tellTrouble, warning, type Trouble } from './container-trouble.ts';
import { breaksNonRoot } from './container-user.ts';
import { ruledAnswerOf } from './exec-answers.ts';
import { stepPull } from './image-pull.ts';
import type { Moment } from './node-surroundings.ts';
import {
  createContainerId,
  freshPull,
  isRunning,
  type ContainerRecord,
  type PodRecord,
  type RunningPhase,
  type Termination,
} from './pod-record.ts';
import { resetProbes, stepProbes } from './probe-life.ts';
import { terminationMessage } from './termination-message.ts';

/** Does for the container what is due, when it is its turn among the containers of its pod. */
export function stepContainer(container: ContainerRecord, moment: Moment): void {
  for (let turn = 0; turn < turnsMax; turn++) {
    const { phase } = container;
    if (phase.is === 'running') stepRunning(container, moment);
    else if (phase.is === 'waiting') stepWaiting(container, moment);
    else if (isRestarted(container, moment)) stepRestart(container, phase.how, moment);
    if (container.phase.is === phase.is) return;
  }
  moment.wakeAt(moment.now + 1);
}

/** Changes in one moment; a container that ends as soon as it starts must not take all of them. */
const turnsMax = 8;

/** The running container ends, is probed, or goes on. */
export function stepRunning(container: ContainerRecord, moment: Moment): void {
  if (!isRunning(container)) return;
  const { phase } = container;
  if (exitOf(container, phase) > moment.now) stepProbes(container, moment);
  const exitAt = exitOf(container, phase);
  if (exitAt <= moment.now) end(container, phase, { at: exitAt, record: moment.record });
  else moment.wakeAt(exitAt);
}

const exitOf = ({ stop }: ContainerRecord, { exitAt }: RunningPhase) =>
  Math.min(exitAt, stop?.exitAt ?? Infinity);

/** Until the kubelet finds that a container has ended by itself. */
const noticeMs = 1_000;

function end(
  container: ContainerRecord,
  { startedAt, containerId }: RunningPhase,
  { at, record }: { readonly at: number; readonly record: PodRecord },
): void {
  const { behaviour, stop, restartCount } = container;
  const wasStopped = stop !== undefined && stop.exitAt <= at;
  const outOfMemory = behaviour.outOfMemory && !wasStopped;
  const natural = outOfMemory ? killedCode : ofRun(behaviour.exitCodes, restartCount);
  const exitCode = wasStopped ? stop.exitCode : natural;
  const reason = outOfMemory ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
  const message = terminationMessage(container, { endedAt: at, exitCode }, record);
  const how: Termination = {
    exitCode,
    reason,
    ...(message !== undefined && { message }),
    startedAt,
    finishedAt: at,
    containerId,
  };
  container.phase = { is: 'terminated', how };
  container.noticedAt = wasStopped ? at : at + noticeMs;
  container.stop = undefined;
  container.ready = false;
  container.started = false;
  container.probes = {};
}

function stepWaiting(container: ContainerRecord, moment: Moment): void {
  const { now, wakeAt } = moment;
  if (!stepBackoff(container, moment)) return;
  const trouble = misconfigured(container, moment);
  if (trouble !== undefined && isToldOf(container, trouble, moment)) return;
  if (!container.pull.done && !stepPull(container, moment)) return;
  if (trouble !== undefined) {
    tellTrouble(container, trouble, moment);
    // The next look asks for the image again.
    container.pull = freshPull();
    return;
  }
  const startsAt = (container.startsAt ??= now + container.behaviour.startDelayMs);
  if (startsAt > now) return wakeAt(startsAt);
  start(container, moment);
}

function misconfigured(container: ContainerRecord, { record }: Moment): Trouble | undefined {
  const { spec } = container;
  const missing = record.configProblems.get(spec.name);
  const message =
    missing ?? (breaksNonRoot(spec, record.pod) ? brokenPolicy(spec.name, record) : undefined);
  if (message === undefined) return undefined;
  const events = [warning('Failed', `Error: ${message}`)];
  return { reason: 'CreateContainerConfigError', message, events };
}

function brokenPolicy(container: string, record: Moment['record']): string {
  const where = `(pod: "${podText(record)}", container: ${container})`;
  return `container's runAsUser breaks non-root policy ${where}`;
}

function start(container: ContainerRecord, moment: Moment): void {
  const { record, now, node } = moment;
  const { spec, behaviour, restartCount } = container;
  container.startsAt = undefined;
  const say = (reason: string, message: string) =>
    node.emit(record, { type: 'Normal', reason, message }, container);
  say('Created', node.texts.created(spec.name));
  say('Started', node.texts.started(spec.name));
  container.phase = {
    is: 'running',
    startedAt: now,
    containerId: createContainerId(node.random),
    exitAt: now + ofRun(behaviour.runForMs, restartCount),
  };
  container.stop = undefined;
  container.allocated = spec.resources;
  container.actual = spec.resources;
  resetProbes(container);
  if (hookFails(container)) {
    node.emit(record, warning('FailedPostStartHook', 'PostStartHook failed'), container);
    stopContainer(container, { now, killAt: now, moment, message: 'FailedPostStartHook' });
  }
}

function hookFails({ spec, behaviour }: ContainerRecord): boolean {
  const command = spec.lifecycle?.postStart?.exec?.command;
  return command !== undefined && (ruledAnswerOf(behaviour.exec, command)?.exitCode ?? 0) !== 0;
}
