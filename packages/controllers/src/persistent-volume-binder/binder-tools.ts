// What reconciling claims and volumes have in common: what they read, and how they write.

import { jsonEqual, type JsonValue, type KubeObject } from '@keelson/apimachinery';
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
import { bindCompleted, boundByController } from './volume-texts.ts';

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

export async function setVolumePhase(
  { context }: BinderTools,
  volume: PersistentVolume,
  phase: { readonly phase: string; readonly message?: string; readonly reason?: string },
): Promise<PersistentVolume> {
  const { message = '', reason = '' } = volume.status ?? {};
  const isSame =
    volume.status?.phase === phase.phase &&
    message === (phase.message ?? '') &&
    reason === (phase.reason ?? '');
  if (isSame) return volume;
  const { message: _, reason: __, ...others } = volume.status ?? {};
  return context.client
    .resource<PersistentVolume>(persistentVolumesResource)
    .update({ ...volume, status: { ...others, ...phase } }, { subresource: 'status' });
}

/** With nothing but the phase, unless the claim is bound to a volume. */
export async function setClaimPhase(
  { context }: BinderTools,
  claim: PersistentVolumeClaim,
  phase: string,
  volume?: PersistentVolume,
): Promise<PersistentVolumeClaim> {
  const { accessModes: _, capacity, ...others } = claim.status ?? {};
  // A volume that grows says so itself, through the capacity of its claim.
  const isSettled = claim.status?.phase === 'Bound' && capacity !== undefined;
  const status =
    volume === undefined
      ? { ...others, phase }
      : {
          ...others,
          phase,
          accessModes: [...(volume.spec?.accessModes ?? [])],
          capacity: isSettled ? capacity : { ...volume.spec?.capacity },
        };
  const asJson = (value: object) => value as unknown as JsonValue;
  if (jsonEqual(asJson(claim.status ?? {}), asJson(status))) return claim;
  return context.client
    .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
    .namespace(claim.metadata.namespace ?? '')
    .update({ ...claim, status }, { subresource: 'status' });
}

/**
 * Both sides say that they belong together; the volume first, so that no other claim can get it.
 * Each write that was done already is left out, so an interrupted binding is completed.
 */
export async function bind(
  tools: BinderTools,
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): Promise<void> {
  const taken = await setVolumePhase(tools, await bindVolume(tools, volume, claim), {
    phase: 'Bound',
  });
  const bound = await bindClaim(tools, taken, claim);
  await setClaimPhase(tools, bound, 'Bound', taken);
}

async function bindVolume(
  { context }: BinderTools,
  volume: PersistentVolume,
  { metadata }: PersistentVolumeClaim,
): Promise<PersistentVolume> {
  const before = volume.spec?.claimRef;
  if (before?.uid === metadata.uid && before?.uid !== undefined) return volume;
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = metadata;
  const { apiVersion, kind } = claimKind;
  const claimRef = { apiVersion, kind, namespace, name, uid, resourceVersion };
  const annotations = {
    ...volume.metadata.annotations,
    ...(before === undefined && { [boundByController]: 'yes' }),
  };
  return context.client.resource<PersistentVolume>(persistentVolumesResource).update({
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: { ...volume.spec, claimRef },
  });
}

async function bindClaim(
  { context }: BinderTools,
  { metadata: { name: volumeName = '' } }: PersistentVolume,
  claim: PersistentVolumeClaim,
): Promise<PersistentVolumeClaim> {
  const { annotations = {} } = claim.metadata;
  const isNamed = claim.spec?.volumeName === volumeName;
  if (isNamed && annotations[bindCompleted] !== undefined) return claim;
  const marks = { ...(!isNamed && { [boundByController]: 'yes' }), [bindCompleted]: 'yes' };
  return context.client
    .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
    .namespace(claim.metadata.namespace ?? '')
    .update({
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...annotations, ...marks } },
      spec: { ...claim.spec, volumeName },
    });
}
