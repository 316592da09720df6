// One volume: what nobody wants any more is detached, then what is wanted is attached, and its pods
// are told how that went.

import { isStatusError } from '@keelson/apimachinery';
import type { PersistentVolume, Pod } from '@keelson/apimachinery/types/core.v1';
import type { VolumeAttachment } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { EventText } from '../machinery/event-recorder.ts';
import { podsResource, volumeAttachmentsResource } from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { attachmentName, attachmentsOf, nodeVolumeName } from '../volumes/attachments.ts';
import { podsByNode, standingOfAttachment, type AttachDetachTools } from './attach-detach-tools.ts';
import {
  isAttached,
  isMultiAttachText,
  isShared,
  multiAttachText,
  type ForcedReason,
} from './attachment-state.ts';

/** What pods were told last, so that they are told it once: by uid of the pod, by volume. */
export type Told = Map<string, Map<string, string>>;

const attachTimeoutMs = 2 * 60_000;
const podKind = { apiVersion: 'v1', kind: 'Pod', resource: podsResource };

export interface VolumeReconciling extends AttachDetachTools {
  readonly told: Told;
  /** A node loses what it uses. */
  readonly onForced: (reason: ForcedReason) => void;
  /** What the node is told has to change first. */
  enqueueNode(nodeName: string): void;
}

export async function reconcileAttachments(
  tools: VolumeReconciling,
  volumeName: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const volume = tools.objects.volumes.store.get('', volumeName);
  const wanted = podsByNode(tools.objects, volume);
  const attachments = attachmentsOf(tools.objects.attachments, volumeName);
  const waits: number[] = [];
  for (const attachment of attachments.filter(isOurs(volume))) {
    const waitMs = await detach(tools, { attachment, volume, wanted }, signal);
    if (waitMs !== undefined) waits.push(waitMs);
  }
  if (volume === undefined) return undefined;
  const taken = new Set(attachments.map(({ spec }) => spec.nodeName));
  for (const [nodeName, pods] of wanted) {
    const attaching = { volume, attachments, wanted, taken, nodeName, pods };
    const waitMs = await attach(tools, attaching, signal);
    if (waitMs !== undefined) waits.push(waitMs);
  }
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) };
}

/** What others have attached by another name is theirs to detach. */
const isOurs =
  (volume: PersistentVolume | undefined) =>
  ({ metadata, spec }: VolumeAttachment): boolean =>
    volume !== undefined && metadata.name === attachmentName(volume, spec.nodeName);

type PodsByNode = ReadonlyMap<string, readonly Pod[]>;
interface Detaching {
  readonly attachment: VolumeAttachment;
  readonly volume: PersistentVolume | undefined;
  readonly wanted: PodsByNode;
}

/** When to look again, in milliseconds. */
async function detach(
  tools: VolumeReconciling,
  { attachment, volume, wanted }: Detaching,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { metadata, spec } = attachment;
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const standing = standingOfAttachment(tools, attachment, wanted);
  if (standing.is === 'in-use') return standing.waitMs;
  if (standing.is === 'wanted') return undefined;
  const node = tools.objects.nodes.store.get('', spec.nodeName);
  const nodeVolume = volume && nodeVolumeName(volume);
  // A node must not mount what is about to go.
  if (node?.status?.volumesAttached?.some(({ name }) => name === nodeVolume)) {
    tools.enqueueNode(spec.nodeName);
    return undefined;
  }
  const { name = '', uid = '' } = metadata;
  try {
    await tools.context.client
      .resource(volumeAttachmentsResource)
      .delete(name, { preconditions: { uid }, signal });
    if (standing.forced !== undefined) tools.onForced(standing.forced);
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
  return undefined;
}

interface Attaching {
  readonly volume: PersistentVolume;
  readonly attachments: readonly VolumeAttachment[];
  readonly wanted: PodsByNode;
  /** Nodes that have it or are to have it; the one that it is attached to is added. */
  readonly taken: Set<string>;
  readonly nodeName: string;
  readonly pods: readonly Pod[];
}

/** When to look again, in milliseconds. */
async function attach(
  tools: VolumeReconciling,
  attaching: Attaching,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { volume, attachments, wanted, taken, nodeName } = attaching;
  const own = attachments.find(({ spec }) => spec.nodeName === nodeName);
  if (own !== undefined) return tellProgress(tools, own, attaching);
  if (taken.size === 0 || isShared(volume)) {
    taken.add(nodeName);
    await create(tools, volume, nodeName, signal);
    return undefined;
  }
  const blocking = [...taken].flatMap((node) => wanted.get(node) ?? []);
  tell(tools, attaching, warning(multiAttachText(volume.metadata.name ?? '', blocking)));
  return undefined;
}

async function create(
  { context }: AttachDetachTools,
  volume: PersistentVolume,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  const { name = '' } = volume.metadata;
  try {
    await context.client.resource<VolumeAttachment>(volumeAttachmentsResource).create(
      {
        metadata: { name: attachmentName(volume, nodeName) },
        spec: {
          attacher: volume.spec?.csi?.driver ?? '',
          nodeName,
          source: { persistentVolumeName: name },
        },
      },
      { signal },
    );
  } catch (error) {
    // The cache was behind: the attachment will be seen.
    if (!isStatusError(error, 'AlreadyExists')) throw error;
  }
}

/** When to look again, in milliseconds. */
function tellProgress(
  tools: VolumeReconciling,
  attachment: VolumeAttachment,
  attaching: Attaching,
): number | undefined {
  const { metadata, spec, status } = attachment;
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const { name: volumeName } = attaching.volume.metadata;
  const about = `for volume ${JSON.stringify(volumeName)}`;
  if (isAttached(attachment)) {
    const since = Date.parse(metadata.creationTimestamp ?? '');
    // Others found it attached.
    const waiting = attaching.pods.filter(
      (pod) => !hasBegun(pod) && Date.parse(pod.metadata.creationTimestamp ?? '') <= since,
    );
    // COMPAT: a space at the end.
    tell(
      tools,
      { ...attaching, pods: waiting },
      {
        type: 'Normal',
        reason: 'SuccessfulAttachVolume',
        message: `AttachVolume.Attach succeeded ${about} `,
      },
    );
    return undefined;
  }
  const failed = (why: string) => warning(`AttachVolume.Attach failed ${about} : ${why}`);
  const { message } = status?.attachError ?? {};
  if (message !== undefined) {
    tell(tools, attaching, failed(message));
    return undefined;
  }
  const age = tools.context.clock.now() - Date.parse(metadata.creationTimestamp ?? '');
  if (age < attachTimeoutMs) return attachTimeoutMs - age;
  const { volumeHandle } = attaching.volume.spec?.csi ?? {};
  const who = `external-attacher of ${spec.attacher} CSI driver`;
  tell(tools, attaching, failed(`timed out waiting for ${who} to attach volume ${volumeHandle}`));
  return undefined;
}

const warning = (message: string) =>
  ({ type: 'Warning', reason: 'FailedAttachVolume', message }) as const;

function tell(
  { events, told }: VolumeReconciling,
  { volume, pods }: Attaching,
  event: EventText,
): void {
  const { name = '' } = volume.metadata;
  for (const pod of pods) {
    const { uid = '' } = pod.metadata;
    const texts = told.get(uid) ?? new Map<string, string>();
    const last = texts.get(name);
    if (last === event.message) continue;
    if (isMultiAttachText(last) && isMultiAttachText(event.message)) continue;
    told.set(uid, texts.set(name, event.message));
    events.record(eventTarget(podKind, pod), event);
  }
}

const hasBegun = ({ status }: Pod) => status?.phase !== undefined && status.phase !== 'Pending';
