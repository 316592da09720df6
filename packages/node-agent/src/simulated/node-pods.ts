// The pods of one node: takes them in or refuses them, looks for what they refer to, and calls each
// when it has changed or something is due.

import { jsonEqual, type JsonValue } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { NodeSurroundings } from './node-surroundings.ts';
import type { NodeRules } from './node-rules.ts';
import type { PodAddresses } from './pod-addresses.ts';
import { refusalOf } from './pod-admission.ts';
import { createPodInspection, type PodInspection } from './pod-inspection.ts';
import { hasRunning, stepPod } from './pod-life.ts';
import { addContainers, createPodRecord, type PodRecord } from './pod-record.ts';
import { adoptResize } from './pod-resize.ts';
import { createPodWriter, type PodWriterOptions } from './pod-writer.ts';
import type { ReferenceReader } from './pod-references.ts';
import type { PreparedDevices } from './prepared-devices.ts';

export interface NodePodsOptions extends PodWriterOptions {
  readonly rules: NodeRules;
  readonly surroundings: NodeSurroundings;
  readonly references: ReferenceReader;
  readonly addresses: PodAddresses;
  readonly devices: Pick<PreparedDevices, 'use'>;
  readonly node: () => Node | undefined;
  /** After each step of a pod's life. */
  readonly onStep: (record: PodRecord) => void;
  readonly onRemoved: (record: PodRecord) => void;
}

export interface NodePods {
  /** The pod is new, or has changed. */
  update(pod: Pod): void;
  /** Its object is gone. */
  remove(pod: Pod): void;
  /** Other volumes are attached to the node than before. */
  updateAttached(): void;
  /** A claim of the pod has changed. */
  updateClaim(pod: Pod): void;
  find(namespace: string, name: string): PodRecord | undefined;
  list(): readonly PodRecord[];
  /** Something has changed for all of them. */
  stepAll(): void;
  /** A node without power does nothing; when it comes back, it goes on. */
  pause(isPaused: boolean): void;
}

export function createNodePods(options: NodePodsOptions): NodePods {
  const { now, timetable, rules, surroundings, addresses, onStep } = options;
  const records = new Map<string, PodRecord>();
  const writer = createPodWriter(options);
  let isPaused = false;

  const step = (record: PodRecord) => {
    if (isPaused || records.get(record.uid) !== record) return;
    const wasOver = record.finalPhase !== undefined;
    const next = stepPod(record, now(), surroundings);
    timetable.set(record, next, () => step(record));
    writer.write(record);
    onStep(record);
    if (!wasOver && record.finalPhase !== undefined) retryResizes();
  };
  const stepAll = () => records.forEach(step);
  const retryResizes = () => records.forEach((other) => other.resize && resize(other));
  const inspection: PodInspection = createPodInspection(options, step);
  const admit = (pod: Pod) => {
    const record = takeIn(pod, options, () => active(records.values()));
    records.set(record.uid, record);
    if (record.finalPhase !== undefined) step(record);
    else inspection.begin(record);
  };
  const change = (record: PodRecord, pod: Pod) => {
    const isEcho = isOnlyStatus(record.pod, pod);
    record.pod = pod;
    // Conditions of others may open a readiness gate.
    if (isEcho) return pod.spec?.readinessGates === undefined ? undefined : step(record);
    addContainers(record, rules);
    resize(record);
  };
  const resize = (record: PodRecord) => {
    const node = options.node();
    const others = active(records.values(), record);
    if (node !== undefined) adoptResize(record, { node, others, surroundings, now: now() });
    step(record);
  };
  return {
    update(pod) {
      const record = records.get(pod.metadata?.uid ?? '');
      if (record === undefined) admit(pod);
      else change(record, pod);
    },
    remove(pod) {
      const record = records.get(pod.metadata?.uid ?? '');
      if (record === undefined) return;
      records.delete(record.uid);
      timetable.set(record, undefined, () => {});
      inspection.forget(record);
      writer.forget(record);
      options.onRemoved(record);
      addresses.release(record.podIp);
      retryResizes();
    },
    updateAttached: inspection.attached,
    updateClaim({ metadata }) {
      const record = records.get(metadata?.uid ?? '');
      if (record !== undefined) step(record);
    },
    stepAll,
    find: (namespace, name) => [...records.values()].find(isNamed(namespace, name)),
    list: () => [...records.values()],
    pause(paused) {
      isPaused = paused;
      writer.hold(paused);
      if (!paused) stepAll();
    },
  };
}

const isNamed =
  (namespace: string, name: string) =>
  ({ pod: { metadata } }: PodRecord): boolean =>
    metadata?.name === name && metadata.namespace === namespace;

/** `others`: pods that hold resources. */
function takeIn(pod: Pod, options: NodePodsOptions, others: () => readonly Pod[]): PodRecord {
  const { rules, addresses, now, surroundings } = options;
  const known = pod.status?.podIP;
  if (known !== undefined) addresses.reserve(known);
  const record = createPodRecord(pod, { rules, now: now(), podIp: known ?? addresses.take() });
  const node = options.node();
  if (pod.status?.startTime === undefined && node !== undefined)
    refuse(record, { node, others: others(), surroundings });
  return record;
}

interface Refusing {
  readonly node: Node;
  readonly others: readonly Pod[];
  readonly surroundings: NodeSurroundings;
}

function refuse(record: PodRecord, { node, others, surroundings }: Refusing): void {
  const refusal = refusalOf(record.pod, node, others);
  if (refusal === undefined) return;
  const { reason, message } = refusal;
  record.refusal = { reason, message: `Pod was rejected: ${message}` };
  record.finalPhase = 'Failed';
  surroundings.emit(record, { type: 'Warning', reason, message });
}

/** Nothing of it runs any more, nor will. */
export function hasEnded(record: PodRecord): boolean {
  return record.finalPhase !== undefined && !hasRunning(record);
}

/** Those that hold resources. */
function active(records: Iterable<PodRecord>, without?: PodRecord): Pod[] {
  return [...records]
    .filter((record) => record !== without)
    .filter((record) => !hasEnded(record))
    .map(({ pod }) => pod);
}

/** Mostly the echo of what the node wrote itself. */
function isOnlyStatus(old: Pod, pod: Pod): boolean {
  return (
    jsonEqual(livesBy(old), livesBy(pod)) && jsonEqual(old.spec as JsonValue, pod.spec as JsonValue)
  );
}

function livesBy({ metadata = {} }: Pod): JsonValue {
  const { deletionTimestamp, deletionGracePeriodSeconds, annotations, labels } = metadata;
  const grace =
    deletionGracePeriodSeconds === undefined ? null : Number(deletionGracePeriodSeconds);
  return [deletionTimestamp ?? null, grace, annotations ?? {}, labels ?? {}];
}
