// The status of a pod, as a kubelet writes it, from what the node knows. Conditions that are not
// the kubelet's are left out: a strategic merge keeps them.

import { findCondition, formatTime } from '@keelson/apimachinery';
import type { PodCondition, PodStatus } from '@keelson/apimachinery/types/core.v1';
import { containerStatusOf, type ContainerStatusSettings } from './container-status.ts';
import { mayRestartAll } from './restart-all.ts';
import { hasRunning, hasStarted, hasSucceeded, ofRole } from './pod-life.ts';
import type { ContainerRecord, PodRecord } from './pod-record.ts';

export interface StatusSettings extends ContainerStatusSettings {
  readonly hostIp: string;
  /** Gate PodReadyToStartContainersCondition. */
  readonly hasReadyToStart: boolean;
  /** Gate PodObservedGenerationTracking. */
  readonly hasObservedGeneration: boolean;
}

export function podStatusOf(record: PodRecord, now: number, settings: StatusSettings): PodStatus {
  const { pod, podIp, failure, refusal } = record;
  const { hostIp } = settings;
  const { generation } = pod.metadata ?? {};
  const observed =
    settings.hasObservedGeneration && generation !== undefined
      ? { observedGeneration: generation }
      : {};
  const startTime = formatTime(record.startTime);
  // COMPAT: of a pod that a kubelet did not take in it says nothing else.
  if (refusal !== undefined)
    return { ...observed, phase: 'Failed', conditions: [], ...refusal, startTime };
  const ip = pod.spec?.hostNetwork === true ? hostIp : podIp;
  const isUp = record.isSetUp || record.finalPhase !== undefined;
  const statusesOf = (...roles: readonly ContainerRecord['role'][]) =>
    record.containers
      .filter(({ role }) => roles.includes(role))
      .map((container) => containerStatusOf(container, record, settings));
  const inits = statusesOf('init', 'sidecar');
  const ephemeral = statusesOf('ephemeral');
  return {
    ...observed,
    phase: phaseOf(record),
    conditions: conditionsOf(record, now, settings).map((condition) => ({
      ...condition,
      ...observed,
    })),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(isUp ? { podIP: ip, podIPs: [{ ip }] } : {}),
    startTime,
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    containerStatuses: statusesOf('main').toSorted(byName),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral.toSorted(byName) }),
    ...(failure === undefined ? {} : { reason: failure.reason, message: failure.message }),
  };
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

/** As long as one container has never run, the pod is pending. */
function phaseOf(record: PodRecord): string {
  if (record.finalPhase !== undefined && !hasRunning(record)) return record.finalPhase;
  return ofRole(record, 'main').every(hasStarted) ? 'Running' : 'Pending';
}

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

function conditionsOf(record: PodRecord, now: number, settings: StatusSettings): PodCondition[] {
  const isOver = record.finalPhase !== undefined && !hasRunning(record);
  const containersReady = containersReadyOf(record, isOver);
  const wanted: [string, Verdict][] = [
    ...(settings.hasReadyToStart
      ? [['PodReadyToStartContainers', truth(record.isSetUp && !isOver)] as [string, Verdict]]
      : []),
    ['Initialized', initializedOf(record, isOver)],
    ['Ready', readyOf(record, containersReady)],
    ['ContainersReady', containersReady],
    ['PodScheduled', truth(true)],
    ...(record.failure?.isDisruption === true
      ? [
          [
            'DisruptionTarget',
            { status: 'True', reason: 'TerminationByKubelet', message: record.failure.message },
          ] as [string, Verdict],
        ]
      : []),
    ...(mayRestartAll(record)
      ? [['AllContainersRestarting', restartingOf(record, now, isOver)] as [string, Verdict]]
      : []),
    ...(isOver ? [] : resizeConditionsOf(record)),
  ];
  return wanted.map(([type, verdict]) => {
    const before = record.conditionTimes.get(type);
    const since = before?.status === verdict.status ? before.since : formatTime(now);
    record.conditionTimes.set(type, { status: verdict.status, since });
    return { type, ...verdict, lastProbeTime: null, lastTransitionTime: since };
  });
}

const truth = (holds: boolean): Verdict => ({ status: holds ? 'True' : 'False' });

function restartingOf({ removedAt, finalPhase }: PodRecord, now: number, isOver: boolean): Verdict {
  if (isOver)
    return { status: 'False', reason: `Pod${finalPhase === 'Failed' ? 'Failed' : 'Completed'}` };
  if (removedAt <= now) return truth(false);
  const message = 'container exited with restart policy rule';
  return { status: 'True', reason: 'RestartAllContainersStarted', message };
}

function resizeConditionsOf({ resize, resizing }: PodRecord): [string, Verdict][] {
  return [
    ...(resize === undefined
      ? []
      : [['PodResizePending', { status: 'True', ...resize }] as [string, Verdict]]),
    ...(resizing === undefined ? [] : [['PodResizeInProgress', truth(true)] as [string, Verdict]]),
  ];
}

function initializedOf(record: PodRecord, isOver: boolean): Verdict {
  if (isOver && record.finalPhase === 'Succeeded')
    return { status: 'True', reason: 'PodCompleted' };
  const waiting = record.containers
    .filter(({ role }) => role === 'init' || role === 'sidecar')
    .filter((container) => !isInitialized(container, record));
  if (waiting.length === 0) return truth(true);
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${namesOf(waiting)}]`,
  };
}

function isInitialized(container: ContainerRecord, record: PodRecord): boolean {
  const { role, started } = container;
  if (role === 'sidecar')
    return started || ofRole(record, 'main').some((one) => one.phase.is !== 'waiting');
  return hasSucceeded(container);
}

function containersReadyOf(record: PodRecord, isOver: boolean): Verdict {
  if (isOver) {
    const reason = record.finalPhase === 'Succeeded' ? 'PodCompleted' : 'PodFailed';
    return { status: 'False', reason };
  }
  const counted = record.containers.filter(({ role }) => role === 'main' || role === 'sidecar');
  const unready = counted.filter(({ ready }) => !ready);
  if (unready.length === 0) return truth(true);
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${namesOf(unready)}]`,
  };
}

function readyOf({ pod }: PodRecord, containersReady: Verdict): Verdict {
  if (containersReady.status !== 'True') return containersReady;
  const conditions = pod.status?.conditions ?? [];
  const problems = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const found = findCondition(conditions, conditionType);
    if (found === undefined)
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (found.status === 'True') return [];
    return [
      `the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`,
    ];
  });
  if (problems.length === 0) return truth(true);
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: problems.join(', ') };
}

const namesOf = (containers: readonly ContainerRecord[]) =>
  containers.map(({ spec }) => spec.name).join(' ');
