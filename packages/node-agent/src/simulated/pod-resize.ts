// In-place resize (KEP-1287): what a pod asks for now is allocated to it when the node has as much,
// and its containers run with it a moment later; else its status says that it waits, or that it
// waits in vain. A container whose policy wants it is started again.

import { jsonEqual, type JsonValue } from '@keelson/apimachinery';
import type {
  Container,
  Node,
  Pod,
  ResourceRequirements,
} from '@keelson/apimachinery/types/core.v1';
import { stopContainer } from './container-stop.ts';
import { formatShortage, shortageOf } from './pod-admission.ts';
import type { Moment, NodeEvent, NodeSurroundings } from './node-surroundings.ts';
import {
  isRunning,
  type ContainerRecord,
  type PodRecord,
  type ResizeOutcome,
} from './pod-record.ts';

export interface ResizeContext {
  readonly node: Node;
  /** The other pods that hold resources. */
  readonly others: readonly Pod[];
  readonly surroundings: NodeSurroundings;
  readonly now: number;
}

export function adoptResize(record: PodRecord, context: ResizeContext): void {
  const changed = record.containers.filter(
    (container) =>
      isRunning(container) &&
      container.role !== 'ephemeral' &&
      !isSame(container.allocated, container.spec.resources),
  );
  const before = record.resize;
  record.resize = changed.length === 0 ? undefined : obstacleTo(record, context);
  if (changed.length === 0) return;
  const { surroundings, now } = context;
  if (record.resize !== undefined) {
    const { reason, message } = record.resize;
    if (before?.reason === reason && before.message === message) return;
    return tell(record, surroundings, { type: 'Warning', reason: `Resize${reason}`, message });
  }
  record.resizing = { doneAt: now + actuateMs, generation: generationOf(record) };
  tell(record, surroundings, { type: 'Normal', reason: 'ResizeStarted', message: '' });
  for (const container of changed) apply(record, container, context);
}

/** From the allocation to the containers that run with it. */
const actuateMs = 1_000;

/** Why the node cannot give the pod what it asks for: now, or ever. */
function obstacleTo(
  { pod }: PodRecord,
  { node, others }: ResizeContext,
): ResizeOutcome | undefined {
  const ever = shortageOf(pod, node, []);
  if (ever !== undefined) {
    const { resource, requested, capacity } = ever;
    const amounts = `requested: ${requested}, capacity: ${capacity}`;
    const message = `Node didn't have enough capacity: ${resource}, ${amounts}`;
    return { reason: 'Infeasible', message };
  }
  const now = shortageOf(pod, node, others);
  return now === undefined ? undefined : { reason: 'Deferred', message: formatShortage(now) };
}

/** The containers run with what was allocated to them. */
export function stepResize({ record, now, node, wakeAt }: Moment): void {
  const { resizing } = record;
  if (resizing === undefined) return;
  if (resizing.doneAt > now) return wakeAt(resizing.doneAt);
  for (const container of record.containers) container.actual = container.allocated;
  tell(
    record,
    node,
    { type: 'Normal', reason: 'ResizeCompleted', message: '' },
    resizing.generation,
  );
  record.resizing = undefined;
}

const generationOf = ({ pod }: PodRecord): number => Number(pod.metadata?.generation ?? 0);

const texts: Readonly<Record<string, string>> = {
  ResizeStarted: 'Pod resize started',
  ResizeCompleted: 'Pod resize completed',
  ResizeDeferred: 'Pod resize Deferred',
  ResizeInfeasible: 'Pod resize Infeasible',
};

/** With what all containers ask for; the message of the event is why they do not get it. */
function tell(
  record: PodRecord,
  node: NodeSurroundings,
  { type, reason, message }: NodeEvent,
  generation = generationOf(record),
): void {
  if (!node.texts.hasResizeEvents) return;
  const of = (...roles: readonly ContainerRecord['role'][]) =>
    record.containers
      .filter(({ role }) => roles.includes(role))
      .map(({ spec: { name, resources = {} } }) => ({ name, resources }));
  const initContainers = of('init', 'sidecar');
  const details = {
    ...(initContainers.length > 0 && { initContainers }),
    containers: of('main'),
    generation,
    ...(message !== '' && { error: message }),
  };
  node.emit(record, { type, reason, message: `${texts[reason]}: ${JSON.stringify(details)}` });
}

function apply(record: PodRecord, container: ContainerRecord, context: ResizeContext): void {
  const { surroundings, now } = context;
  const needsRestart = wantsRestart(container);
  container.allocated = container.spec.resources;
  if (!needsRestart) return;
  const { terminationGracePeriodSeconds = 30 } = record.pod.spec ?? {};
  stopContainer(container, {
    now,
    killAt: now + Number(terminationGracePeriodSeconds) * 1_000,
    message: `Container ${container.spec.name} resize requires restart`,
    moment: { record, now, node: surroundings, wakeAt: () => {} },
  });
}

function wantsRestart({ spec, allocated }: ContainerRecord): boolean {
  const changed = (resource: string) =>
    (['requests', 'limits'] as const).some(
      (kind) => amount(spec, kind, resource) !== allocated?.[kind]?.[resource],
    );
  return (spec.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' && changed(resourceName),
  );
}

function amount({ resources }: Container, kind: 'requests' | 'limits', resource: string) {
  return resources?.[kind]?.[resource];
}

function isSame(a: ResourceRequirements = {}, b: ResourceRequirements = {}): boolean {
  return (['requests', 'limits'] as const).every((kind) =>
    jsonEqual((a[kind] ?? {}) as JsonValue, (b[kind] ?? {}) as JsonValue),
  );
}
