// What `kubectl get pods` shows: one word that says where the pod stands, put together from its
// phase, its conditions and the states of its containers.

import { findCondition, isConditionTrue } from '@keelson/apimachinery';
import type {
  Container,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import { age, noneText, since } from '../../printing/cells.ts';
import { isRestartableInitContainer } from '../pod-spec/visit-containers.ts';

interface Summary {
  reason: string;
  ready: number;
  restarts: number;
  /** When a container was last restarted; empty when none was. */
  lastRestart: string;
}

export function podCells(pod: Pod, nowMs: number): unknown[] {
  const { spec, status = {}, metadata } = pod;
  const total =
    (spec.containers ?? []).length +
    (spec.initContainers ?? []).filter(isRestartableInitContainer).length;
  const summary = summarize(pod);
  const { restarts, lastRestart } = summary;
  const restartText =
    restarts > 0 && lastRestart !== ''
      ? `${restarts} (${since(lastRestart, nowMs)} ago)`
      : String(restarts);
  return [
    metadata.name ?? '',
    `${summary.ready}/${total}`,
    deletionReason(pod) ?? summary.reason,
    restartText,
    age(pod, nowMs),
    status.podIPs?.[0]?.ip || noneText,
    spec.nodeName || noneText,
    status.nominatedNodeName || noneText,
    readinessText(pod),
  ];
}

/** Says of a pod that has ended how it ended. */
export function podRowConditions({ status }: Pod): unknown[] {
  const ended = {
    Succeeded: 'The pod has completed successfully.',
    Failed: 'The pod failed.',
  }[status?.phase ?? ''];
  if (ended === undefined) return [];
  return [{ type: 'Completed', status: 'True', reason: status?.phase, message: ended }];
}

function deletionReason({ metadata, status }: Pod): string | undefined {
  if (metadata.deletionTimestamp === undefined) return undefined;
  if (status?.reason === 'NodeLost') return 'Unknown';
  const hasEnded = status?.phase === 'Failed' || status?.phase === 'Succeeded';
  return hasEnded ? undefined : 'Terminating';
}

function summarize(pod: Pod): Summary {
  const { status = {} } = pod;
  const isGated = (status.conditions ?? []).some(
    (c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated',
  );
  const summary: Summary = {
    reason: isGated ? 'SchedulingGated' : status.reason || status.phase || '',
    ready: 0,
    restarts: 0,
    lastRestart: '',
  };
  const sidecars = { restarts: 0, lastRestart: '' };
  const isInitializing = initContainers(pod, summary, sidecars);
  if (isInitializing && !hasCondition(pod, 'Initialized')) return summary;
  Object.assign(summary, sidecars);
  regularContainers(pod, summary);
  return summary;
}

type Restarts = Pick<Summary, 'restarts' | 'lastRestart'>;

function countRestarts(target: Restarts, container: ContainerStatus): void {
  target.restarts += container.restartCount;
  const finishedAt = container.lastState?.terminated?.finishedAt ?? '';
  if (finishedAt > target.lastRestart) target.lastRestart = finishedAt;
}

/** True while an init container keeps the pod from starting; its state is the reason then. */
function initContainers(pod: Pod, summary: Summary, sidecars: Restarts): boolean {
  const containers = pod.spec.initContainers ?? [];
  const byName = new Map<string, Container>(containers.map((c) => [c.name, c]));
  for (const [i, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const spec = byName.get(container.name);
    const isSidecar = spec !== undefined && isRestartableInitContainer(spec);
    countRestarts(summary, container);
    if (isSidecar) countRestarts(sidecars, container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && container.started === true) {
      if (container.ready) summary.ready++;
      continue;
    }
    const isWaiting = waiting?.reason && waiting.reason !== 'PodInitializing';
    if (terminated) summary.reason = `Init:${terminatedReason(terminated)}`;
    else if (isWaiting) summary.reason = `Init:${waiting.reason}`;
    else summary.reason = `Init:${i}/${containers.length}`;
    return true;
  }
  return false;
}

function regularContainers(pod: Pod, summary: Summary): void {
  let isRunning = false;
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    countRestarts(summary, container);
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated) summary.reason = terminatedReason(terminated);
    else if (container.ready && running) {
      isRunning = true;
      summary.ready++;
    }
  }
  // One container is done, another still runs.
  if (summary.reason === 'Completed' && isRunning) {
    summary.reason = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
  }
}

function terminatedReason({ reason, signal, exitCode }: ContainerStateTerminated): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

const hasCondition = (pod: Pod, type: string) => isConditionTrue(pod.status?.conditions, type);

function readinessText(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return noneText;
  const passed = gates.filter(
    ({ conditionType }) => findCondition(pod.status?.conditions, conditionType)?.status === 'True',
  );
  return `${passed.length}/${gates.length}`;
}
