// In-place resize: a pod whose requests or limits have changed runs with the new ones at once, if
// the node has as much; else its status says that it waits, or that it waits in vain. A container
// whose policy wants it is started again.

import { jsonEqual, type JsonValue } from '@keelson/apimachinery';
import type {
  Container,
  Node,
  Pod,
  ResourceRequirements,
} from '@keelson/apimachinery/types/core.v1';
import { stopContainer } from './container-stop.ts';
import type { NodeSurroundings } from './node-surroundings.ts';
import { formatShortage, shortageOf } from './pod-admission.ts';
import { isRunning, type ContainerRecord, type PodRecord } from './pod-record.ts';

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
  record.resize = undefined;
  if (changed.length === 0) return;
  const { node, others } = context;
  const ever = shortageOf(record.pod, node, []);
  if (ever !== undefined) {
    const { resource, requested, capacity } = ever;
    const amounts = `requested: ${requested}, capacity: ${capacity}`;
    const message = `Node didn't have enough capacity: ${resource}, ${amounts}`;
    record.resize = { reason: 'Infeasible', message };
    return;
  }
  const now = shortageOf(record.pod, node, others);
  if (now !== undefined) {
    record.resize = { reason: 'Deferred', message: formatShortage(now) };
    return;
  }
  for (const container of changed) apply(record, container, context);
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
