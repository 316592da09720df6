// Probes of a running container. Nothing is asked: the behaviour says from when on a container
// answers, and the probe finds out at its next turn, as often as its thresholds want. Turns that
// could change nothing are left out, so that a pod that is well costs nothing.

import type { Probe } from '@keelson/apimachinery/types/core.v1';
import { stopContainer } from './container-stop.ts';
import type { Moment } from './node-surroundings.ts';
import { isRunning, type ContainerRecord, type RunningPhase } from './pod-record.ts';

type Running = ContainerRecord & { phase: RunningPhase };
type ProbeKind = 'startup' | 'readiness' | 'liveness';
type Verdict = 'success' | 'failure' | undefined;

const periodDefaultSeconds = 10;
const failuresDefault = 3;
const graceDefaultSeconds = 30;
const titles = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' } as const;

/** Another run begins. */
export function resetProbes(container: ContainerRecord): void {
  container.probes = {};
  container.started = container.spec.startupProbe === undefined;
  container.ready = false;
}

export function stepProbes(container: ContainerRecord, moment: Moment): void {
  if (!isRunning(container)) return;
  const isEnding = moment.record.stop !== undefined || container.stop !== undefined;
  if (!container.started && !isEnding) stepStartup(container, moment);
  if (!container.started) return;
  if (!container.ready) stepReadiness(container, moment);
  if (!isEnding) stepLiveness(container, moment);
}

function stepStartup(container: Running, moment: Moment): void {
  const { startupProbe } = container.spec;
  const { startedAfterMs } = container.behaviour;
  const verdict = startupProbe
    ? runProbe('startup', { probe: startupProbe, container, moment }, (t) => t >= startedAfterMs)
    : 'success';
  if (verdict === 'success') container.started = true;
  else if (verdict === 'failure') fail('startup', startupProbe, container, moment);
}

function stepReadiness(container: Running, moment: Moment): void {
  const { readinessProbe } = container.spec;
  const { readyAfterMs } = container.behaviour;
  if (readinessProbe !== undefined) {
    const subject = { probe: readinessProbe, container, moment };
    if (runProbe('readiness', subject, (t) => t >= readyAfterMs) === 'success')
      container.ready = true;
    return;
  }
  const readyAt = container.phase.startedAt + readyAfterMs;
  if (readyAt <= moment.now) container.ready = true;
  else moment.wakeAt(readyAt);
}

function stepLiveness(container: Running, moment: Moment): void {
  const { livenessProbe } = container.spec;
  const { livenessFailsAfterMs } = container.behaviour;
  if (livenessProbe === undefined || livenessFailsAfterMs === Infinity) return;
  const subject = { probe: livenessProbe, container, moment };
  const verdict = runProbe('liveness', subject, (t) => t < livenessFailsAfterMs);
  if (verdict === 'failure') fail('liveness', livenessProbe, container, moment);
}

interface Subject {
  readonly probe: Probe;
  readonly container: Running;
  readonly moment: Moment;
}

/** The turns that are due; undefined while neither threshold is reached. */
function runProbe(
  kind: ProbeKind,
  { probe, container, moment }: Subject,
  isGood: (sinceStartMs: number) => boolean,
): Verdict {
  const { now, wakeAt } = moment;
  const { startedAt } = container.phase;
  const initialMs = Number(probe.initialDelaySeconds ?? 0) * 1_000;
  const firstAt = Math.max(startedAt + initialMs, now);
  const state = (container.probes[kind] ??= { nextAt: firstAt, successes: 0, failures: 0 });
  const periodMs = Number(probe.periodSeconds ?? periodDefaultSeconds) * 1_000;
  let verdict: Verdict;
  while (state.nextAt <= now) {
    const good = isGood(state.nextAt - startedAt);
    state.nextAt += periodMs;
    state.successes = good ? state.successes + 1 : 0;
    state.failures = good ? 0 : state.failures + 1;
    if (!good) tellUnhealthy(kind, { probe, container, moment });
    if (state.successes >= Number(probe.successThreshold ?? 1)) verdict = 'success';
    if (state.failures >= Number(probe.failureThreshold ?? failuresDefault)) verdict = 'failure';
    // A startup probe has one verdict; so has a failing liveness probe, for each run.
    if (verdict !== undefined && (kind === 'startup' || verdict === 'failure')) break;
  }
  wakeAt(state.nextAt);
  return verdict;
}

function tellUnhealthy(kind: ProbeKind, { probe, container, moment }: Subject): void {
  const message = `${titles[kind]} probe failed: ${failureText(probe, moment.record.podIp)}`;
  moment.node.emit(moment.record, { type: 'Warning', reason: 'Unhealthy', message }, container);
}

function failureText({ httpGet, tcpSocket, grpc }: Probe, podIp: string): string {
  if (httpGet !== undefined) return 'HTTP probe failed with statuscode: 503';
  if (tcpSocket !== undefined)
    return `dial tcp ${podIp}:${tcpSocket.port}: connect: connection refused`;
  if (grpc !== undefined) return 'service unhealthy (responded with "NOT_SERVING")';
  return '';
}

function fail(
  kind: 'startup' | 'liveness',
  probe: Probe | undefined,
  container: Running,
  moment: Moment,
): void {
  const { spec = { containers: [] } } = moment.record.pod;
  const tail = spec.restartPolicy === 'Never' ? '' : ', will be restarted';
  const seconds =
    probe?.terminationGracePeriodSeconds ??
    spec.terminationGracePeriodSeconds ??
    graceDefaultSeconds;
  stopContainer(container, {
    now: moment.now,
    killAt: moment.now + Number(seconds) * 1_000,
    message: `Container ${container.spec.name} failed ${kind} probe${tail}`,
    moment,
  });
}
