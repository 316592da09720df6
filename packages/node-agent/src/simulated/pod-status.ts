// The status of a pod, as a kubelet writes it, from what the node knows. Conditions that are not
// the kubelet's are left out: a strategic merge keeps them.

import { findCondition, formatTime } from '@keelson/apimachinery';
import type {
  ContainerState,
  ContainerStatus,
  PodCondition,
  PodStatus,
} from '@keelson/apimachinery/types/core.v1';
import type { NodeImages } from './node-surroundings.ts';
import { hasRunning, hasSucceeded, ofRole } from './pod-life.ts';
import type { ContainerRecord, PodRecord, Termination } from './pod-record.ts';

export interface StatusSettings {
  readonly hostIp: string;
  readonly images: Pick<NodeImages, 'idOf'>;
  /** Gate PodReadyToStartContainersCondition. */
  readonly hasReadyToStart: boolean;
  /** Gate PodObservedGenerationTracking. */
  readonly hasObservedGeneration: boolean;
  /** Gate InPlacePodVerticalScaling. */
  readonly hasResize: boolean;
}

export function podStatusOf(record: PodRecord, now: number, settings: StatusSettings): PodStatus {
  const { pod, podIp, failure } = record;
  const { hostIp } = settings;
  const { generation } = pod.metadata ?? {};
  const observed =
    settings.hasObservedGeneration && generation !== undefined
      ? { observedGeneration: generation }
      : {};
  const hasSandbox = record.setupKnown && record.setupProblem === undefined;
  const ip = pod.spec?.hostNetwork === true ? hostIp : podIp;
  const isUp = hasSandbox || record.finalPhase !== undefined;
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
    startTime: formatTime(record.startTime),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    containerStatuses: statusesOf('main'),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
    ...(failure === undefined ? {} : { reason: failure.reason, message: failure.message }),
  };
}

function phaseOf(record: PodRecord): string {
  if (record.finalPhase !== undefined && !hasRunning(record)) return record.finalPhase;
  return ofRole(record, 'main').some(({ phase, last }) => phase.is !== 'waiting' || last)
    ? 'Running'
    : 'Pending';
}

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

function conditionsOf(record: PodRecord, now: number, settings: StatusSettings): PodCondition[] {
  const hasSandbox = record.setupKnown && record.setupProblem === undefined;
  const isOver = record.finalPhase !== undefined && !hasRunning(record);
  const containersReady = containersReadyOf(record, isOver);
  const wanted: [string, Verdict][] = [
    ...(settings.hasReadyToStart
      ? [['PodReadyToStartContainers', truth(hasSandbox && !isOver)] as [string, Verdict]]
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
    ...resizeConditionOf(record),
  ];
  return wanted.map(([type, verdict]) => {
    const before = record.conditionTimes.get(type);
    const since = before?.status === verdict.status ? before.since : formatTime(now);
    record.conditionTimes.set(type, { status: verdict.status, since });
    return { type, ...verdict, lastProbeTime: null, lastTransitionTime: since };
  });
}

const truth = (holds: boolean): Verdict => ({ status: holds ? 'True' : 'False' });

function resizeConditionOf({ resize }: PodRecord): [string, Verdict][] {
  return resize === undefined ? [] : [['PodResizePending', { status: 'True', ...resize }]];
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
  const message = problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`;
  return { status: 'False', reason: 'ReadinessGatesNotReady', message };
}

const namesOf = (containers: readonly ContainerRecord[]) =>
  containers.map(({ spec }) => spec.name).join(' ');

function containerStatusOf(
  container: ContainerRecord,
  record: PodRecord,
  { images, hasResize }: StatusSettings,
): ContainerStatus {
  const { spec, phase, last, restartCount, allocated, role } = container;
  const image = spec.image ?? '';
  const isThere = phase.is !== 'waiting' || last !== undefined;
  const id = phase.is === 'running' ? phase.containerId : endedOf(container)?.containerId;
  return {
    name: spec.name,
    state: stateOf(container, record),
    lastState:
      last === undefined || (phase.is === 'terminated' && phase.how === last)
        ? {}
        : { terminated: terminatedState(last) },
    ready: role === 'init' ? hasSucceeded(container) : container.ready,
    restartCount,
    image,
    imageID: isThere ? images.idOf(image) : '',
    ...(id === undefined ? {} : { containerID: id }),
    started: container.started,
    ...(hasResize && phase.is === 'running' && allocated !== undefined && role !== 'ephemeral'
      ? {
          resources: allocated,
          ...(allocated.requests === undefined ? {} : { allocatedResources: allocated.requests }),
        }
      : {}),
  };
}

const endedOf = ({ phase, last }: ContainerRecord): Termination | undefined =>
  phase.is === 'terminated' ? phase.how : last;

function stateOf({ phase, role }: ContainerRecord, record: PodRecord): ContainerState {
  if (phase.is === 'running') return { running: { startedAt: formatTime(phase.startedAt) } };
  if (phase.is === 'terminated') return { terminated: terminatedState(phase.how) };
  const { reason, message } = phase;
  if (reason !== '') return { waiting: message === undefined ? { reason } : { reason, message } };
  const isHeldUp = record.containers.some(
    ({ role: other }) => other === 'init' || other === 'sidecar',
  );
  return {
    waiting: { reason: isHeldUp && role !== 'ephemeral' ? 'PodInitializing' : 'ContainerCreating' },
  };
}

function terminatedState(how: Termination) {
  return {
    exitCode: how.exitCode,
    reason: how.reason,
    ...(how.message === undefined ? {} : { message: how.message }),
    startedAt: formatTime(how.startedAt),
    finishedAt: formatTime(how.finishedAt),
    ...(how.containerId === '' ? {} : { containerID: how.containerId }),
  };
}
