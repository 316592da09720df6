// One container: from its image to its end, and round again. Called with the time of the day, each
// step does what is due then and says when the next one is.

import { formatGoDuration } from '@keelson/apimachinery';
import { ofRun } from './container-behaviour.ts';
import { lengthenBackoff, restartAllowedAt } from './crash-backoff.ts';
import { ruledAnswerOf } from './exec-answers.ts';
import type { Moment } from './node-surroundings.ts';
import {
  createContainerId,
  isRunning,
  type ContainerRecord,
  type RunningPhase,
  type Termination,
} from './pod-record.ts';
import { resetProbes, stepProbes } from './probe-life.ts';

const imageBackoffFirstMs = 10_000;
const imageBackoffMaxMs = 300_000;
const killedCode = 137;

/** Does for the container what is due. `mayStart`: its turn among the containers of its pod. */
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
  if (exitAt <= moment.now) end(container, phase, exitAt);
  else moment.wakeAt(exitAt);
}

const exitOf = ({ stop }: ContainerRecord, { exitAt }: RunningPhase) =>
  Math.min(exitAt, stop?.exitAt ?? Infinity);

function end(
  container: ContainerRecord,
  { startedAt, containerId }: RunningPhase,
  at: number,
): void {
  const { behaviour, stop, restartCount } = container;
  const wasStopped = stop !== undefined && stop.exitAt <= at;
  const outOfMemory = behaviour.outOfMemory && !wasStopped;
  const natural = outOfMemory ? killedCode : ofRun(behaviour.exitCodes, restartCount);
  const exitCode = wasStopped ? stop.exitCode : natural;
  const reason = outOfMemory ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
  const how: Termination = { exitCode, reason, startedAt, finishedAt: at, containerId };
  container.phase = { is: 'terminated', how };
  container.stop = undefined;
  container.ready = false;
  container.started = false;
  container.probes = {};
}

function isRestarted({ role, phase }: ContainerRecord, { record }: Moment): boolean {
  if (phase.is !== 'terminated' || role === 'ephemeral') return false;
  if (record.stop !== undefined || record.finalPhase !== undefined) return false;
  if (role === 'sidecar') return true;
  const { exitCode } = phase.how;
  const { restartPolicy = 'Always' } = record.pod.spec ?? {};
  if (restartPolicy === 'Never') return false;
  return exitCode !== 0 || (restartPolicy === 'Always' && role === 'main');
}

function stepRestart(container: ContainerRecord, how: Termination, moment: Moment): void {
  const { record, now, node, wakeAt } = moment;
  const allowedAt = restartAllowedAt(container, how.finishedAt, node.crashBackoff);
  container.last = how;
  if (allowedAt > now) {
    wakeAt(allowedAt);
    const { name } = container.spec;
    const { namespace = '', name: podName = '' } = record.pod.metadata ?? {};
    const where = `${podName}_${namespace}(${record.uid})`;
    const delay = goDuration(container.crash.delayMs);
    container.phase = {
      is: 'waiting',
      reason: 'CrashLoopBackOff',
      message: `back-off ${delay} restarting failed container=${name} pod=${where}`,
    };
    container.crash.announcedUntil = allowedAt;
    const message = `Back-off restarting failed container ${name} in pod ${where}`;
    node.emit(record, { type: 'Warning', reason: 'BackOff', message }, container);
    return;
  }
  beginAgain(container, how.finishedAt, moment);
}

function beginAgain(container: ContainerRecord, finishedAt: number, moment: Moment): void {
  const { now, node } = moment;
  lengthenBackoff(container, finishedAt, { now, backoff: node.crashBackoff });
  container.restartCount++;
  container.crash.announcedUntil = 0;
  // Another run asks for the image again; it is there, unless the policy wants to see it each time.
  container.pull = { done: false, startedAt: undefined, failures: 0, retryAt: 0, error: '' };
  container.phase = { is: 'waiting', reason: 'ContainerCreating' };
}

function stepWaiting(container: ContainerRecord, moment: Moment): void {
  const { now, wakeAt } = moment;
  const { announcedUntil } = container.crash;
  if (announcedUntil > now) return wakeAt(announcedUntil);
  if (announcedUntil > 0) beginAgain(container, container.last?.finishedAt ?? now, moment);
  if (!container.pull.done && !stepPull(container, moment)) return;
  if (!isConfigured(container, moment)) return;
  const startsAt = (container.startsAt ??= now + container.behaviour.startDelayMs);
  if (startsAt > now) return wakeAt(startsAt);
  start(container, moment);
}

/** True when the image is there. */
function stepPull(container: ContainerRecord, moment: Moment): boolean {
  const { record, now, node, wakeAt } = moment;
  const { pull, spec, behaviour } = container;
  const { image = '' } = spec;
  if (isPresent(container, moment)) {
    pull.done = true;
    const message = node.texts.imagePresent(image);
    node.emit(record, { type: 'Normal', reason: 'Pulled', message }, container);
    return true;
  }
  if (spec.imagePullPolicy === 'Never') return neverPulled(container, moment);
  if (pull.startedAt === undefined) {
    if (pull.retryAt > now) {
      wakeAt(pull.retryAt);
      return false;
    }
    pull.startedAt = now;
    const message = `Pulling image "${image}"`;
    node.emit(record, { type: 'Normal', reason: 'Pulling', message }, container);
  }
  const doneAt = pull.startedAt + behaviour.pullForMs;
  if (doneAt > now) {
    wakeAt(doneAt);
    return false;
  }
  if (behaviour.pullFailure !== undefined) {
    failPull(container, behaviour.pullFailure, moment);
    return false;
  }
  pull.done = true;
  node.images.add(image);
  const took = goDuration(Math.max(behaviour.pullForMs, 1));
  const message = node.texts.imagePulled(image, took, node.images.sizeOf(image));
  node.emit(record, { type: 'Normal', reason: 'Pulled', message }, container);
  return true;
}

function isPresent({ spec, behaviour }: ContainerRecord, { node }: Moment): boolean {
  const policy = spec.imagePullPolicy ?? 'IfNotPresent';
  const isThere = node.images.has(spec.image ?? '');
  return policy === 'IfNotPresent' && isThere && behaviour.pullFailure === undefined;
}

/** With policy Never: only what is there. */
function neverPulled(container: ContainerRecord, { record, node }: Moment): boolean {
  const { image = '' } = container.spec;
  if (node.images.has(image)) {
    container.pull.done = true;
    const message = node.texts.imagePresent(image);
    node.emit(record, { type: 'Normal', reason: 'Pulled', message }, container);
    return true;
  }
  const message = `Container image "${image}" is not present with pull policy of Never`;
  if (container.phase.is === 'waiting' && container.phase.reason === 'ErrImageNeverPull')
    return false;
  node.emit(record, { type: 'Warning', reason: 'ErrImageNeverPull', message }, container);
  const error = { type: 'Warning', reason: 'Failed', message: 'Error: ErrImageNeverPull' } as const;
  node.emit(record, error, container);
  container.phase = { is: 'waiting', reason: 'ErrImageNeverPull', message };
  return false;
}

/** First the error itself, then waiting for longer and longer. */
function failPull(container: ContainerRecord, why: string, moment: Moment): void {
  const { record, now, node, wakeAt } = moment;
  const { pull, spec } = container;
  const { image = '' } = spec;
  const error = `failed to pull and unpack image "${image}": ${why}`;
  const warn = (reason: string, message: string) =>
    node.emit(record, { type: 'Warning', reason, message }, container);
  if (pull.retryAt <= now) {
    pull.error = `rpc error: code = NotFound desc = ${error}`;
    warn('Failed', `Failed to pull image "${image}": ${pull.error}`);
    warn('Failed', 'Error: ErrImagePull');
    const delay = Math.min(imageBackoffFirstMs * 2 ** pull.failures, imageBackoffMaxMs);
    pull.failures++;
    pull.retryAt = now + delay;
    container.phase = { is: 'waiting', reason: 'ErrImagePull', message: pull.error };
    // The next look at the pod finds it waiting.
    pull.startedAt = now + settleMs - container.behaviour.pullForMs;
    wakeAt(now + settleMs);
    return;
  }
  pull.startedAt = undefined;
  const message = `Back-off pulling image "${image}"`;
  node.emit(record, { type: 'Normal', reason: 'BackOff', message }, container);
  warn('Failed', 'Error: ImagePullBackOff');
  container.phase = {
    is: 'waiting',
    reason: 'ImagePullBackOff',
    message: `${message}: ErrImagePull: ${pull.error}`,
  };
  wakeAt(pull.retryAt);
}

/** How long an error shows before the kubelet looks at the pod again. */
const settleMs = 1_000;

function isConfigured(container: ContainerRecord, { record, node }: Moment): boolean {
  const problem = record.configProblems.get(container.spec.name);
  const reason = 'CreateContainerConfigError';
  const { phase } = container;
  if (problem === undefined) {
    if (phase.is === 'waiting' && phase.reason === reason)
      container.phase = { is: 'waiting', reason: 'ContainerCreating' };
    return true;
  }
  if (phase.is === 'waiting' && phase.reason === reason && phase.message === problem) return false;
  container.phase = { is: 'waiting', reason, message: problem };
  node.emit(record, { type: 'Warning', reason: 'Failed', message: `Error: ${problem}` }, container);
  return false;
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
  resetProbes(container);
  if (hookFails(container)) {
    const message = 'PostStartHook failed';
    node.emit(record, { type: 'Warning', reason: 'FailedPostStartHook', message }, container);
    stopContainer(container, { now, killAt: now, moment, message: 'FailedPostStartHook' });
  }
}

function hookFails({ spec, behaviour }: ContainerRecord): boolean {
  const command = spec.lifecycle?.postStart?.exec?.command;
  return command !== undefined && (ruledAnswerOf(behaviour.exec, command)?.exitCode ?? 0) !== 0;
}

export interface StopOrder {
  readonly now: number;
  /** When SIGKILL ends it. */
  readonly killAt: number;
  readonly message: string;
  readonly moment: Moment;
}

/** What a kubelet leaves even to containers whose time is up, unless there was none at all. */
const graceMinMs = 2_000;

/** preStop, SIGTERM, and SIGKILL when that took too long. */
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

function goDuration(ms: number): string {
  return formatGoDuration(BigInt(Math.round(ms * 1_000_000)));
}
