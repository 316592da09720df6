// Whether and when a container that has ended runs again. Its own policy and the rules for its exit
// code (KEP-5307) come before the policy of the pod. Fields that a release does not know are not
// there: the API server drops them.

import { formatGoDuration } from '@keelson/apimachinery';
import type { Container, ContainerRestartRule } from '@keelson/apimachinery/types/core.v1';
import { tellTrouble, warning, type Trouble } from './container-trouble.ts';
import { lengthenBackoff, restartAllowedAt } from './crash-backoff.ts';
import type { Moment } from './node-surroundings.ts';
import { freshPull, type ContainerRecord, type PodRecord, type Termination } from './pod-record.ts';

/** Whether it is to run again after that end, when nothing else keeps it from running. */
export function wantsRestart(container: ContainerRecord, { pod }: PodRecord): boolean {
  const { role, spec, phase } = container;
  if (phase.is !== 'terminated' || role === 'ephemeral') return false;
  if (role === 'sidecar') return true;
  const { exitCode } = phase.how;
  if (ruleFor(spec, exitCode) !== undefined) return true;
  const policy = spec.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  // What an init container has done is not done again.
  if (policy === 'Always' && role !== 'init') return true;
  return policy !== 'Never' && exitCode !== 0;
}

/** The first rule that matches the exit code decides. */
export function ruleFor(
  { restartPolicy, restartPolicyRules = [] }: Container,
  exitCode: number,
): ContainerRestartRule | undefined {
  if (restartPolicy === undefined) return undefined;
  return restartPolicyRules.find(({ exitCodes }) => {
    const isListed = (exitCodes?.values ?? []).map(Number).includes(exitCode);
    return exitCodes?.operator === 'NotIn' ? !isListed : isListed;
  });
}

export function isRestarted(container: ContainerRecord, { record }: Moment): boolean {
  if (record.stop !== undefined || record.finalPhase !== undefined) return false;
  return wantsRestart(container, record);
}

/** Of a container that has ended and is to run again. */
export function stepRestart(container: ContainerRecord, how: Termination, moment: Moment): void {
  const { now, node, wakeAt } = moment;
  if (container.noticedAt > now) return wakeAt(container.noticedAt);
  container.last = how;
  const allowedAt = restartAllowedAt(container, how.finishedAt, node.crashBackoff);
  if (allowedAt <= now) return beginAgain(container, how.finishedAt, moment);
  container.crash.announcedUntil = allowedAt;
  waitForBackoff(container, moment);
}

/** True when nothing, or nothing any more, keeps it from running again. */
export function stepBackoff(container: ContainerRecord, moment: Moment): boolean {
  const { announcedUntil } = container.crash;
  if (announcedUntil > moment.now) {
    waitForBackoff(container, moment);
    return false;
  }
  if (announcedUntil > 0) beginAgain(container, container.last?.finishedAt ?? moment.now, moment);
  return true;
}

function waitForBackoff(container: ContainerRecord, moment: Moment): void {
  moment.wakeAt(container.crash.announcedUntil);
  tellTrouble(container, backoffOf(container, moment), moment);
}

function backoffOf({ spec, crash }: ContainerRecord, { record }: Moment): Trouble {
  const { name } = spec;
  const where = podText(record);
  const delay = formatGoDuration(BigInt(Math.round(crash.delayMs * 1_000_000)));
  const told = `Back-off restarting failed container ${name} in pod ${where}`;
  return {
    reason: 'CrashLoopBackOff',
    message: `back-off ${delay} restarting failed container=${name} pod=${where}`,
    events: [warning('BackOff', told)],
  };
}

/** As kubelets name a pod in their texts: `name_namespace(uid)`. */
export function podText({ pod, uid }: PodRecord): string {
  const { namespace = '', name = '' } = pod.metadata ?? {};
  return `${name}_${namespace}(${uid})`;
}

function beginAgain(container: ContainerRecord, finishedAt: number, moment: Moment): void {
  const { now, node } = moment;
  lengthenBackoff(container, finishedAt, { now, backoff: node.crashBackoff });
  container.restartCount++;
  container.crash.announcedUntil = 0;
  // Another run asks for the image again; it is there, unless the policy wants to see it each time.
  container.pull = freshPull();
  container.phase = { is: 'waiting', reason: 'ContainerCreating' };
}
