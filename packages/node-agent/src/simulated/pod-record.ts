// What a node knows of one of its pods: the pod as the API server has it, and for each container
// where it is in its life. Only the steps of `pod-life.ts` change it; the status that the API shows
// is made from it, in `pod-status.ts`.

import { findCondition, formatTime, type Random } from '@keelson/apimachinery';
import type { Container, ContainerStatus, Pod } from '@keelson/apimachinery/types/core.v1';
import { ofRun, type ContainerBehaviour } from './container-behaviour.ts';
import type { ContainerRole, NodeRules } from './node-rules.ts';
import type { Refusal } from './pod-admission.ts';

/** How a run of a container ended. */
export interface Termination {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly containerId: string;
}

export type ContainerPhase =
  | { readonly is: 'waiting'; readonly reason: string; readonly message?: string }
  | RunningPhase
  | { readonly is: 'terminated'; readonly how: Termination };

export interface RunningPhase {
  readonly is: 'running';
  readonly startedAt: number;
  readonly containerId: string;
  /** When it ends by itself. */
  readonly exitAt: number;
}

/** The image of a container on its way. */
export interface Pull {
  done: boolean;
  startedAt: number | undefined;
  failures: number;
  failedAt: number;
  retryAt: number;
  error: string;
}

/** Of one kind of probe, in this run of the container. */
export interface ProbeState {
  /** When it runs next. */
  nextAt: number;
  /** Equal results in a row. */
  successes: number;
  failures: number;
}

export interface ContainerRecord {
  readonly role: ContainerRole;
  spec: Container;
  behaviour: ContainerBehaviour;
  phase: ContainerPhase;
  last: Termination | undefined;
  restartCount: number;
  /** When somebody was told last why it does not run. */
  toldAt: number;
  /** When the kubelet finds that it has ended. */
  noticedAt: number;
  /** When the container that is being created runs. */
  startsAt: number | undefined;
  pull: Pull;
  crash: { delayMs: number; updatedAt: number; announcedUntil: number };
  started: boolean;
  ready: boolean;
  probes: { startup?: ProbeState; liveness?: ProbeState; readiness?: ProbeState };
  /** It has been told to end. */
  stop: { readonly exitAt: number; readonly exitCode: number } | undefined;
  /** Requests and limits that the node gave it, which a resize changes after the spec. */
  allocated: Container['resources'];
  /** Those that it runs with. */
  actual: Container['resources'];
}

/** Why all containers of a pod are being ended. */
export interface PodStop {
  readonly since: number;
  readonly deadline: number;
}

/** The end that the node itself gave a pod, whatever its containers do. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
  readonly isDisruption?: true;
}

export interface PodRecord {
  pod: Pod;
  readonly uid: string;
  readonly containers: ContainerRecord[];
  readonly startTime: number;
  readonly podIp: string;
  /** Its volumes are mounted and its devices prepared. */
  isSetUp: boolean;
  /** By container: why its configuration cannot be made. */
  configProblems: ReadonlyMap<string, string>;
  /** Why the node does not take it in. */
  refusal: Refusal | undefined;
  failure: PodFailure | undefined;
  stop: PodStop | undefined;
  /** The phase does not change any more. */
  finalPhase: 'Succeeded' | 'Failed' | undefined;
  /** Its init containers have done their part, or it has none. */
  isInitialized: boolean;
  /** When all its containers have been removed, to begin again. */
  removedAt: number;
  /** Why what it asks for now is not given to it. */
  resize: ResizeOutcome | undefined;
  /** Its containers are being given what was allocated to them. */
  resizing: { readonly doneAt: number; readonly generation: number } | undefined;
  /** Since when each condition is as it is. */
  readonly conditionTimes: Map<string, ConditionTime>;
}

export interface ConditionTime {
  readonly status: string;
  readonly since: string;
}

export interface ResizeOutcome {
  readonly reason: 'Deferred' | 'Infeasible';
  readonly message: string;
}

export interface RecordOptions {
  readonly rules: NodeRules;
  readonly now: number;
  readonly podIp: string;
}

/** Takes up a pod where its status says that it is: at the beginning, or after a restart. */
export function createPodRecord(pod: Pod, { rules, now, podIp }: RecordOptions): PodRecord {
  const { status = {} } = pod;
  const record: PodRecord = {
    pod,
    uid: pod.metadata?.uid ?? '',
    containers: [],
    startTime: Date.parse(status.startTime ?? '') || now,
    podIp: status.podIP ?? podIp,
    isSetUp: false,
    configProblems: new Map(),
    refusal: undefined,
    failure: undefined,
    stop: undefined,
    finalPhase:
      status.phase === 'Succeeded' || status.phase === 'Failed' ? status.phase : undefined,
    isInitialized: findCondition(status.conditions, 'Initialized')?.status === 'True',
    removedAt: 0,
    resize: undefined,
    resizing: undefined,
    conditionTimes: new Map(
      (status.conditions ?? []).map(({ type, status: holds, lastTransitionTime }) => [
        type,
        { status: holds, since: lastTransitionTime ?? formatTime(now) },
      ]),
    ),
  };
  addContainers(record, rules);
  return record;
}

/** Containers of the spec that are not there yet; at the start all, later ephemeral ones. */
export function addContainers(record: PodRecord, rules: NodeRules): void {
  const { pod, containers } = record;
  const known = new Map(containers.map((container) => [container.spec.name, container]));
  const statuses = statusesOf(pod);
  for (const { container, role } of containersOf(pod)) {
    const behaviour = rules.behaviourOf({ pod, container, role });
    const old = known.get(container.name);
    if (old !== undefined) {
      old.spec = container;
      old.behaviour = behaviour;
      continue;
    }
    const made = createContainer(container, role, behaviour);
    const status = statuses.get(container.name);
    if (status !== undefined) restore(made, status, pod);
    containers.push(made);
  }
}

export function containersOf({ spec }: Pod): { container: Container; role: ContainerRole }[] {
  const of = (role: ContainerRole) => (container: Container) => ({ container, role });
  return [
    ...(spec?.initContainers ?? []).map((container) => ({
      container,
      role: container.restartPolicy === 'Always' ? ('sidecar' as const) : ('init' as const),
    })),
    ...(spec?.containers ?? []).map(of('main')),
    ...((spec?.ephemeralContainers ?? []) as Container[]).map(of('ephemeral')),
  ];
}

function createContainer(
  spec: Container,
  role: ContainerRole,
  behaviour: ContainerBehaviour,
): ContainerRecord {
  return {
    role,
    spec,
    behaviour,
    phase: { is: 'waiting', reason: '' },
    last: undefined,
    restartCount: 0,
    toldAt: 0,
    noticedAt: 0,
    startsAt: undefined,
    pull: freshPull(),
    crash: { delayMs: 0, updatedAt: 0, announcedUntil: 0 },
    started: false,
    ready: false,
    probes: {},
    stop: undefined,
    allocated: spec.resources,
    actual: spec.resources,
  };
}

export const freshPull = (): Pull => ({
  done: false,
  startedAt: undefined,
  failures: 0,
  failedAt: 0,
  retryAt: 0,
  error: '',
});

function statusesOf({ status = {} }: Pod): Map<string, ContainerStatus> {
  const all = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  return new Map(all.map((one) => [one.name, one]));
}

/** The container that a status shows goes on as if nothing had been. */
function restore(record: ContainerRecord, status: ContainerStatus, pod: Pod): void {
  record.restartCount = Number(status.restartCount);
  record.last = terminationOf(status.lastState?.terminated);
  record.allocated = status.resources ?? record.spec.resources;
  record.actual = record.allocated;
  const ended = terminationOf(status.state?.terminated);
  if (ended !== undefined) record.phase = { is: 'terminated', how: ended };
  const { running } = status.state ?? {};
  // It was about to be started again.
  if (running === undefined && ended === undefined && record.last !== undefined)
    record.restartCount++;
  if (running === undefined || pod.metadata?.uid === undefined) return;
  const startedAt = Date.parse(running.startedAt ?? '') || 0;
  const runFor = ofRun(record.behaviour.runForMs, record.restartCount);
  record.phase = {
    is: 'running',
    startedAt,
    containerId: status.containerID ?? '',
    exitAt: startedAt + runFor,
  };
  record.pull.done = true;
  record.started = status.started === true;
  record.ready = status.ready === true;
}

type TerminatedState = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;
function terminationOf(state: TerminatedState | undefined): Termination | undefined {
  if (state === undefined) return undefined;
  return {
    exitCode: Number(state.exitCode),
    reason: state.reason ?? '',
    ...(state.message === undefined ? {} : { message: state.message }),
    startedAt: Date.parse(state.startedAt ?? '') || 0,
    finishedAt: Date.parse(state.finishedAt ?? '') || 0,
    containerId: state.containerID ?? '',
  };
}

/** As containerd's. */
export function createContainerId(random: Random): string {
  return `containerd://${Buffer.from(random.bytes(32)).toString('hex')}`;
}

export const isRunning = (
  container: ContainerRecord,
): container is ContainerRecord & { phase: RunningPhase } => container.phase.is === 'running';
