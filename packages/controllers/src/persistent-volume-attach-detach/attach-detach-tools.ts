// What the controller of attachments reads, and how it finds what belongs together.

import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { CSIDriver, VolumeAttachment } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Informer } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import {
  csiDriversResource,
  nodesResource,
  persistentVolumeClaimsResource,
  persistentVolumesResource,
  podsResource,
  volumeAttachmentsResource,
} from '../machinery/resources.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import {
  indexByVolume,
  needsAttachment,
  nodeVolumeName,
  volumeNameOf,
} from '../volumes/attachments.ts';
import { isBoundTo } from '../volumes/claim-sizes.ts';
import { claimKeysOf } from '../volumes/pod-claims.ts';
import { isManaged, standingOf, type Standing } from './attachment-state.ts';

export interface AttachDetachObjects {
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly attachments: Informer<VolumeAttachment>;
  readonly drivers: Informer<CSIDriver>;
}

export interface AttachDetachTools {
  readonly context: ControllerContext;
  readonly objects: AttachDetachObjects;
  readonly events: EventRecorder;
  /** By uid of the attachment: since when nobody wants it, for want of anything that says so. */
  readonly unwantedSince: Map<string, number>;
  /** `--disable-force-detach-on-timeout` */
  readonly isForceDetachDisabled: boolean;
}

const byClaim = 'pod-claims';
const byNode = 'attachment-node';

export function attachDetachObjects({ informers }: ControllerContext): AttachDetachObjects {
  const objects: AttachDetachObjects = {
    pods: informers.informer(podsResource),
    nodes: informers.informer(nodesResource),
    claims: informers.informer(persistentVolumeClaimsResource),
    volumes: informers.informer(persistentVolumesResource),
    attachments: informers.informer(volumeAttachmentsResource),
    drivers: informers.informer(csiDriversResource),
  };
  objects.pods.addIndex(byClaim, claimKeysOf);
  indexByVolume(objects.attachments);
  objects.attachments.addIndex(byNode, ({ spec }) => [spec.nodeName]);
  return objects;
}

export function attachmentsOn(
  { attachments }: AttachDetachObjects,
  nodeName: string,
): readonly VolumeAttachment[] {
  return attachments.store.byIndex(byNode, nodeName);
}

/** Pods that have not ended, by their node, of a volume that has to be attached to it for them. */
export function podsByNode(
  { pods, nodes, claims, drivers }: AttachDetachObjects,
  volume: PersistentVolume | undefined,
): ReadonlyMap<string, readonly Pod[]> {
  const found = new Map<string, Pod[]>();
  const { namespace = '', name = '' } = volume?.spec?.claimRef ?? {};
  const claim = claims.store.get(namespace, name);
  if (volume === undefined || claim === undefined || !isBoundTo(claim, volume)) return found;
  if (!needsAttachment(volume, (driver) => drivers.store.get('', driver))) return found;
  for (const pod of pods.store.byIndex(byClaim, `${namespace}/${name}`)) {
    const { nodeName = '' } = pod.spec ?? {};
    if (isPodFinished(pod) || !isManaged(nodes.store.get('', nodeName))) continue;
    found.set(nodeName, [...(found.get(nodeName) ?? []), pod]);
  }
  return found;
}

export function standingOfAttachment(
  { objects, context, unwantedSince, isForceDetachDisabled }: AttachDetachTools,
  attachment: VolumeAttachment,
  wanted: ReadonlyMap<string, readonly Pod[]>,
): Standing {
  const volume = objects.volumes.store.get('', volumeNameOf(attachment));
  const { nodeName } = attachment.spec;
  const isWanted = wanted.has(nodeName);
  const { uid = '' } = attachment.metadata;
  const now = context.clock.monotonic();
  const since = unwantedSince.get(uid) ?? now;
  if (isWanted) unwantedSince.delete(uid);
  else unwantedSince.set(uid, since);
  return standingOf({
    isWanted,
    node: objects.nodes.store.get('', nodeName),
    nodeVolume: volume && nodeVolumeName(volume),
    unwantedMs: now - since,
    isBelieved: isForceDetachDisabled,
  });
}
