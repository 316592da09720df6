// Probes and lifecycle hooks: exactly one way to act, and sensible times.

import { fieldError } from '@keelson/apimachinery';
import type {
  Container,
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  Probe,
  SleepAction,
  TCPSocketAction,
} from '@keelson/apimachinery/types/core.v1';
import {
  conforms,
  inRange,
  nonNegative,
  oneOf,
  portRange,
  required,
  type Errors,
  type Integer,
} from '../../validation/checks.ts';
import { httpHeaderName, portName } from '../../validation/names.ts';
import { stopSignals } from './stop-signals.ts';
import type { PodSpecScope } from './scope.ts';

/** Probes and hooks of a regular container or a sidecar. */
export function probesAndHooks(
  errors: Errors,
  path: string,
  container: Container,
  scope: PodSpecScope,
): void {
  if (container.lifecycle) lifecycle(errors, `${path}.lifecycle`, container.lifecycle, scope);
  const { livenessProbe, readinessProbe, startupProbe } = container;
  if (livenessProbe) onceProbe(errors, `${path}.livenessProbe`, livenessProbe, scope);
  if (readinessProbe) {
    probe(errors, `${path}.readinessProbe`, readinessProbe, scope);
    const period = readinessProbe.terminationGracePeriodSeconds;
    if (period !== undefined) {
      const at = `${path}.readinessProbe.terminationGracePeriodSeconds`;
      errors.push(fieldError.invalid(at, period, 'must not be set for readinessProbes'));
    }
  }
  if (startupProbe) onceProbe(errors, `${path}.startupProbe`, startupProbe, scope);
}

/** Liveness and startup are decided by a single success. */
function onceProbe(errors: Errors, path: string, value: Probe, scope: PodSpecScope): void {
  probe(errors, path, value, scope);
  const threshold = value.successThreshold ?? 0;
  if (threshold !== 1) {
    errors.push(fieldError.invalid(`${path}.successThreshold`, threshold, 'must be 1'));
  }
}

function probe(errors: Errors, path: string, value: Probe, scope: PodSpecScope): void {
  handler(errors, path, value, scope);
  nonNegative(errors, `${path}.initialDelaySeconds`, value.initialDelaySeconds);
  nonNegative(errors, `${path}.timeoutSeconds`, value.timeoutSeconds);
  nonNegative(errors, `${path}.periodSeconds`, value.periodSeconds);
  nonNegative(errors, `${path}.successThreshold`, value.successThreshold);
  nonNegative(errors, `${path}.failureThreshold`, value.failureThreshold);
  const period = value.terminationGracePeriodSeconds;
  if (period !== undefined && period <= 0) {
    const at = `${path}.terminationGracePeriodSeconds`;
    errors.push(fieldError.invalid(at, period, 'must be greater than 0'));
  }
}

function lifecycle(errors: Errors, path: string, value: Lifecycle, scope: PodSpecScope): void {
  if (value.postStart) handler(errors, `${path}.postStart`, value.postStart, scope);
  if (value.preStop) handler(errors, `${path}.preStop`, value.preStop, scope);
  if (value.stopSignal === undefined) return;
  const at = `${path}.stopSignal`;
  const os = scope.spec.os?.name ?? '';
  if (os === '') {
    const why = 'may not be set for containers with empty `spec.os.name`';
    errors.push(fieldError.forbidden(at, why));
  } else if (os === 'windows') oneOf(errors, at, value.stopSignal, ['SIGKILL', 'SIGTERM']);
  else if (os === 'linux') oneOf(errors, at, value.stopSignal, stopSignals);
}

interface Handler {
  readonly exec?: ExecAction;
  readonly httpGet?: HTTPGetAction;
  readonly tcpSocket?: TCPSocketAction;
  readonly grpc?: GRPCAction;
  readonly sleep?: SleepAction;
}
const handlerKinds = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function handler(errors: Errors, path: string, value: Handler, scope: PodSpecScope): void {
  const [first, ...surplus] = handlerKinds.filter((kind) => value[kind] !== undefined);
  if (first === undefined) {
    errors.push(fieldError.required(path, 'must specify a handler type'));
    return;
  }
  action(errors, `${path}.${first}`, value, scope);
  for (const kind of surplus) {
    errors.push(
      fieldError.forbidden(`${path}.${kind}`, 'may not specify more than 1 handler type'),
    );
  }
}

/** Checks the first action that is there. */
function action(errors: Errors, path: string, value: Handler, scope: PodSpecScope): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = value;
  if (exec) required(errors, `${path}.command`, exec.command);
  else if (httpGet) httpAction(errors, path, httpGet);
  else if (tcpSocket) portNumberOrName(errors, `${path}.port`, tcpSocket.port);
  else if (grpc) portNumberOrName(errors, `${path}.port`, grpc.port);
  else if (sleep) sleepAction(errors, path, sleep.seconds, scope);
}

function httpAction(errors: Errors, path: string, get: HTTPGetAction): void {
  required(errors, `${path}.path`, get.path);
  portNumberOrName(errors, `${path}.port`, get.port);
  oneOf(errors, `${path}.scheme`, get.scheme, ['HTTP', 'HTTPS']);
  for (const header of get.httpHeaders ?? []) {
    conforms(errors, `${path}.httpHeaders`, header.name, httpHeaderName);
  }
}

/** A port by number, or by the name that it has in the container. */
function portNumberOrName(errors: Errors, path: string, port: Integer | string): void {
  if (typeof port === 'string') conforms(errors, path, port, portName);
  else inRange(errors, path, port, portRange);
}

function sleepAction(errors: Errors, path: string, seconds: Integer, scope: PodSpecScope): void {
  const grace = scope.spec.terminationGracePeriodSeconds;
  if (grace === undefined) return;
  const zero = scope.options.allowZeroSleep;
  if (seconds <= grace && (seconds > 0 || (zero && Number(seconds) === 0))) return;
  const why = zero
    ? `must be non-negative and less than terminationGracePeriodSeconds (${grace})`
    : `must be greater than 0 and less than terminationGracePeriodSeconds (${grace}). Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.`;
  errors.push(fieldError.invalid(path, seconds, why));
}
