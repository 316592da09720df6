// What the controller of snapshots reads, and its single writes.

import { formatTime, type KubeObject } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Informer, ResourceClient } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import type { EventRecorder, EventText } from '../machinery/event-recorder.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
} from '../machinery/resources.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import { eventTarget } from '../pods/pod-control.ts';
import {
  snapshotKind,
  volumeSnapshotClassesResource,
  volumeSnapshotContentsResource,
  volumeSnapshotsResource,
  type VolumeSnapshot,
  type VolumeSnapshotClass,
  type VolumeSnapshotContent,
} from './snapshot-types.ts';

export interface SnapshotObjects {
  readonly snapshots: Informer<VolumeSnapshot>;
  readonly contents: Informer<VolumeSnapshotContent>;
  readonly classes: Informer<VolumeSnapshotClass>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
}
export interface SnapshotTools {
  readonly context: ControllerContext;
  readonly objects: SnapshotObjects;
  readonly events: EventRecorder;
}

export function snapshotObjects({ informers }: ControllerContext): SnapshotObjects {
  return {
    snapshots: informers.informer(volumeSnapshotsResource),
    contents: informers.informer(volumeSnapshotContentsResource),
    classes: informers.informer(volumeSnapshotClassesResource),
    claims: informers.informer(persistentVolumeClaimsResource),
    volumes: informers.informer(persistentVolumesResource),
  };
}

export const contentClient = ({ context }: SnapshotTools): ResourceClient<VolumeSnapshotContent> =>
  context.client.resource(volumeSnapshotContentsResource);
export const snapshotClient = (
  { context }: SnapshotTools,
  { metadata }: VolumeSnapshot,
): ResourceClient<VolumeSnapshot> =>
  context.client
    .resource<VolumeSnapshot>(volumeSnapshotsResource)
    .namespace(metadata.namespace ?? '');

export function tellSnapshot(
  { events }: SnapshotTools,
  snapshot: VolumeSnapshot,
  text: EventText,
): void {
  events.record(eventTarget(snapshotKind, snapshot), text);
}

/** The object as it is then, with these finalizers put on and those taken off. */
export async function changeFinalizers<T extends KubeObject>(
  resource: ResourceClient<T>,
  object: T,
  change: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
): Promise<T> {
  const { add = [], remove = [] } = change;
  const before = object.metadata.finalizers ?? [];
  const kept = before.filter((one) => !remove.includes(one));
  const finalizers = [...kept, ...add.filter((one) => !kept.includes(one))];
  if (finalizers.length === before.length && add.every((one) => before.includes(one)))
    return object;
  return resource.update({ ...object, metadata: { ...object.metadata, finalizers } });
}

export async function writeSnapshotStatus(
  tools: SnapshotTools,
  snapshot: VolumeSnapshot,
  status: NonNullable<VolumeSnapshot['status']>,
): Promise<void> {
  if (isSameStatus(snapshot.status, status)) return;
  await snapshotClient(tools, snapshot).update({ ...snapshot, status }, { subresource: 'status' });
}

/** What went wrong, in the status and in an event; once for each message. */
export async function failSnapshot(
  tools: SnapshotTools,
  snapshot: VolumeSnapshot,
  { reason, message }: { readonly reason: string; readonly message: string },
): Promise<void> {
  if (snapshot.status?.error?.message === message) return;
  const time = formatTime(tools.context.clock.now());
  const error = { message, time };
  await writeSnapshotStatus(tools, snapshot, { ...snapshot.status, readyToUse: false, error });
  tellSnapshot(tools, snapshot, { type: 'Warning', reason, message });
}
