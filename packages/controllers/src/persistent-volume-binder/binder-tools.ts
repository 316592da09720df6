// What reconciling claims and volumes have in common: what they read, and how they write.

import { jsonEqual, parseQuantity, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { StorageClass } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Informer } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import type { EventRecorder, EventText } from '../machinery/event-recorder.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
} from '../machinery/resources.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { preResizeCapacity } from './volume-texts.ts';

export interface BinderTools {
  readonly context: ControllerContext;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly classes: Informer<StorageClass>;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
  /** A claim was given the default class after all, or could not be. */
  readonly onDefaultClass: (isGiven: boolean) => void;
}

export const claimKind = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  resource: persistentVolumeClaimsResource,
};
export const volumeKind = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  resource: persistentVolumesResource,
};

export function tellClaim({ events }: BinderTools, claim: KubeObject, text: EventText): void {
  events.record(eventTarget(claimKind, claim), text);
}
export function tellVolume({ events }: BinderTools, volume: KubeObject, text: EventText): void {
  events.record(eventTarget(volumeKind, volume), text);
}

/** What a phase was entered for stays, as long as it lasts. */
export async function setVolumePhase(
  { context }: BinderTools,
  volume: PersistentVolume,
  phase: { readonly phase: string; readonly message?: string },
): Promise<PersistentVolume> {
  if (volume.status?.phase === phase.phase) return volume;
  const { message: _, ...others } = volume.status ?? {};
  return context.client
    .resource<PersistentVolume>(persistentVolumesResource)
    .update({ ...volume, status: { ...others, ...phase } }, { subresource: 'status' });
}

/** A volume that cannot be reclaimed says why, once; the attempt is made again when it changes. */
export async function failVolume(
  tools: BinderTools,
  volume: PersistentVolume,
  { reason, message }: { readonly reason: string; readonly message: string },
): Promise<void> {
  if (volume.status?.phase === 'Failed') return;
  await setVolumePhase(tools, volume, { phase: 'Failed', message });
  tellVolume(tools, volume, { type: 'Warning', reason, message });
}

/** With nothing but the phase, unless the claim is bound to a volume. */
export async function setClaimPhase(
  { context }: BinderTools,
  claim: PersistentVolumeClaim,
  phase: string,
  volume?: PersistentVolume,
): Promise<PersistentVolumeClaim> {
  const {
    accessModes: _,
    capacity: __,
    currentVolumeAttributesClassName: ___,
    ...others
  } = claim.status ?? {};
  const status =
    volume === undefined
      ? { ...others, phase }
      : { ...claim.status, phase, ...takenOver(claim, volume) };
  const asJson = (value: object) => value as unknown as JsonValue;
  if (jsonEqual(asJson(claim.status ?? {}), asJson(status))) return claim;
  return context.client
    .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
    .namespace(claim.metadata.namespace ?? '')
    .update({ ...claim, status }, { subresource: 'status' });
}

/** What the status of a bound claim says of its volume. */
function takenOver(
  { status }: PersistentVolumeClaim,
  { metadata, spec }: PersistentVolume,
): NonNullable<PersistentVolumeClaim['status']> {
  const accessModes = [...(spec?.accessModes ?? [])];
  // A volume that grows or changes says so itself, through the status of its claim.
  if (status?.phase === 'Bound' && status.capacity !== undefined) return { accessModes };
  const beforeResize = metadata.annotations?.[preResizeCapacity];
  const capacity = {
    ...spec?.capacity,
    ...(beforeResize !== undefined && isQuantity(beforeResize) && { storage: beforeResize }),
  };
  const { volumeAttributesClassName: name } = spec ?? {};
  return {
    accessModes,
    capacity,
    ...(name !== undefined && { currentVolumeAttributesClassName: name }),
  };
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
}
