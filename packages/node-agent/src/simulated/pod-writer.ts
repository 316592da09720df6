// Writes what the pods of a node come to, and deletes the objects of those that are gone. One write
// of a pod is under way at a time; what changes meanwhile goes with the next one.

import { isStatusError, jsonEqual, type JsonObject } from '@keelson/apimachinery';
import type { Pod, PodCondition, PodStatus } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { isGone } from './pod-life.ts';
import type { PodRecord } from './pod-record.ts';
import { podStatusOf, type StatusSettings } from './pod-status.ts';
import type { Timetable } from './timetable.ts';

export interface PodWriterOptions {
  /** Acts as the node. */
  readonly client: Client;
  readonly now: () => number;
  readonly timetable: Timetable;
  readonly status: StatusSettings;
  readonly onError: (error: unknown, pod: Pod) => void;
}

export interface PodWriter {
  /** What the record says is to be written. */
  write(record: PodRecord): void;
  /** Its object is gone. */
  forget(record: PodRecord): void;
  /** While it is held nothing is written; then everything that has changed. */
  hold(isHeld: boolean): void;
}

interface Writing {
  readonly record: PodRecord;
  /** As it was written last. */
  written: PodStatus | undefined;
  isUnderWay: boolean;
  isDirty: boolean;
  /** Nothing more is to be said about it, whoever else still holds it. */
  isDeleted: boolean;
  /** Failed writes in a row. */
  failures: number;
}

const retryFirstMs = 200;
const retryMaxMs = 30_000;

export function createPodWriter(options: PodWriterOptions): PodWriter {
  const { now, timetable } = options;
  const all = new Map<PodRecord, Writing>();
  let isHeld = false;
  const goesOn = (writing: Writing) =>
    writing.isDirty && !writing.isDeleted && !isHeld && all.get(writing.record) === writing;

  const begin = async (writing: Writing) => {
    if (writing.isUnderWay) return;
    writing.isUnderWay = true;
    try {
      while (goesOn(writing)) {
        writing.isDirty = false;
        await writeStatus(writing, options);
        if (isGone(writing.record) && !writing.isDirty) {
          await deletePod(writing.record, options);
          writing.isDeleted = true;
        }
        writing.failures = 0;
      }
    } catch (error) {
      retry(writing, error);
    } finally {
      writing.isUnderWay = false;
    }
  };
  const retry = (writing: Writing, error: unknown) => {
    // Somebody else's pod has the name by now, or none: the informer says so soon.
    if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return;
    if (all.get(writing.record) !== writing) return;
    options.onError(error, writing.record.pod);
    const delay = Math.min(retryFirstMs * 2 ** writing.failures, retryMaxMs);
    writing.failures++;
    writing.isDirty = true;
    timetable.set(writing, now() + delay, () => void begin(writing));
  };
  return {
    write(record) {
      let writing = all.get(record);
      if (writing === undefined) {
        writing = {
          record,
          written: undefined,
          isUnderWay: false,
          isDirty: false,
          isDeleted: false,
          failures: 0,
        };
        all.set(record, writing);
      }
      writing.isDirty = true;
      void begin(writing);
    },
    forget(record) {
      const writing = all.get(record);
      all.delete(record);
      if (writing !== undefined) timetable.set(writing, undefined, () => {});
    },
    hold(held) {
      isHeld = held;
      if (!held) for (const writing of all.values()) void begin(writing);
    },
  };
}

async function writeStatus(
  writing: Writing,
  { client, now, status: settings }: PodWriterOptions,
): Promise<void> {
  const { record } = writing;
  const { name = '', namespace = '' } = record.pod.metadata ?? {};
  const status = podStatusOf(record, now(), settings);
  const changes = changesOf(writing.written ?? onRecordOf(record.pod), status);
  if (changes === undefined) return;
  const patch = { metadata: { uid: record.uid }, status: changes };
  const pods = client.resource(podsResource).namespace(namespace);
  await pods.patch(name, 'strategic', patch, { subresource: 'status' });
  writing.written = status;
}

async function deletePod({ pod, uid }: PodRecord, { client }: PodWriterOptions): Promise<void> {
  const { name = '', namespace = '' } = pod.metadata ?? {};
  const pods = client.resource(podsResource).namespace(namespace);
  await pods.delete(name, { gracePeriodSeconds: 0, preconditions: { uid } });
}

const podsResource = { group: '', version: 'v1', resource: 'pods' };

const ownConditions = new Set([
  'PodScheduled',
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);

/** Conditions that others wrote where only the node has a say; everything else is written anew. */
function onRecordOf({ status = {} }: Pod): PodStatus {
  return { conditions: (status.conditions ?? []).filter(({ type }) => ownConditions.has(type)) };
}

/** Fields that are new or different, as a strategic merge patch; undefined when there are none. */
function changesOf(written: PodStatus, status: PodStatus): JsonObject | undefined {
  const before = written as unknown as JsonObject;
  const changes: JsonObject = {};
  for (const [field, value] of Object.entries(status as unknown as JsonObject)) {
    if (!jsonEqual(before[field] ?? null, value ?? null)) changes[field] = value;
  }
  if (changes['conditions'] !== undefined)
    changes['conditions'] = conditionsPatch(written.conditions ?? [], status.conditions ?? []);
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** Conditions are merged by their type, so what is gone has to be said. */
function conditionsPatch(
  written: readonly PodCondition[],
  conditions: readonly PodCondition[],
): JsonObject[] {
  const types = new Set(conditions.map(({ type }) => type));
  return [
    ...conditions.map((condition) => ({ reason: null, message: null, ...condition }) as JsonObject),
    ...written
      .filter(({ type }) => !types.has(type))
      .map(({ type }) => ({ $patch: 'delete', type })),
  ];
}
