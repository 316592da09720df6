// Expands volumes of the simulated driver as the external resizer of a CSI driver does: it says in
// the claim that it has begun, makes the volume larger, and leaves the file system to the node; a
// block volume has none and is finished at once.

import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
} from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import { claimKind } from '../persistent-volume-binder/binder-tools.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { isBoundTo, isLarger, claimCapacity } from '../volumes/claim-sizes.ts';
import { maximumSize, simulatedDriver, tooLarge } from '../volumes/simulated-driver.ts';
import { planResize } from './resize-plan.ts';
import { nodeResizeDue, resizeBegun, resizeFinished, resizeRefused } from './resize-status.ts';

export interface VolumeResizerOptions {
  /** RecoverVolumeExpansionFailure: claims say what was allocated, and may ask for less again. */
  readonly hasRecovery: boolean;
}

/** How long what was impossible is not tried again. */
const refusedMs = 5 * 60_000;
const preResizeCapacity = 'volume.alpha.kubernetes.io/pre-resize-capacity';

interface Tools {
  readonly context: ControllerContext;
  readonly events: EventRecorder;
  readonly hasRecovery: boolean;
  /** What was impossible, by the uid of the claim. */
  readonly refused: Map<string, { readonly size: string; readonly untilMs: number }>;
}

export function createSimulatedVolumeResizer(
  context: ControllerContext,
  { hasRecovery }: VolumeResizerOptions,
): Controller {
  const { informers } = context;
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesResource);
  const events = createControllerEvents(context, `external-resizer ${simulatedDriver}`);
  const tools: Tools = { context, events, hasRecovery, refused: new Map() };
  return createReconciler(context, {
    failure: 'simulated volume not expanded',
    queue: 'simulated_volume_resizer',
    workers: 5,
    reads: [claims, volumes],
    subscribe: (queue) => subscribe({ claims, volumes, refused: tools.refused }, queue),
    async reconcile(key, signal) {
      const { namespace, name } = parseKey(key);
      const claim = claims.store.get(namespace, name);
      const volume = volumes.store.get('', claim?.spec?.volumeName ?? '');
      if (claim === undefined || volume === undefined || !isOurs(claim, volume)) return;
      const size = planResize(claim, volume);
      if (size !== undefined) return resize(tools, { claim, volume, size }, signal);
      await forgetOldSize(tools, { claim, volume }, signal);
    },
  });
}

interface Watched {
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly refused: Tools['refused'];
}

function subscribe(
  { claims, volumes, refused }: Watched,
  queue: { add(key: string): void },
): (() => void)[] {
  const enqueue = (claim: PersistentVolumeClaim) => queue.add(keyOf(claim));
  const enqueueClaimOf = ({ spec }: PersistentVolume) => {
    const { namespace, name } = spec?.claimRef ?? {};
    if (name !== undefined) queue.add(`${namespace}/${name}`);
  };
  return [
    claims.addHandler({
      onAdd: enqueue,
      onUpdate: enqueue,
      onDelete: ({ metadata }) => void refused.delete(metadata.uid ?? ''),
    }),
    volumes.addHandler({ onAdd: enqueueClaimOf, onUpdate: enqueueClaimOf }),
  ];
}

function isOurs(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  return volume.spec?.csi?.driver === simulatedDriver && isBoundTo(claim, volume);
}

interface Expansion {
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume;
  readonly size: string;
}

async function resize(
  tools: Tools,
  { claim, volume, size }: Expansion,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { context, hasRecovery, events, refused } = tools;
  const { uid = '' } = claim.metadata;
  const moment = { now: context.clock.now(), hasRecovery };
  const known = refused.get(uid);
  if (known?.size === size && moment.now < known.untilMs)
    return { requeueAfterMs: known.untilMs - moment.now };
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    events.record(eventTarget(claimKind, claim), { type, reason, message });
  const { name = '' } = volume.metadata;
  const begun = await writeStatus(tools, claim, resizeBegun(claim, size, moment), signal);
  tell('Normal', 'Resizing', `External resizer is resizing volume ${name}`);
  const problem = problemOf(volume, size);
  if (problem !== undefined) {
    refused.set(uid, { size, untilMs: moment.now + refusedMs });
    await writeStatus(tools, begun, resizeRefused(begun, problem, moment), signal);
    const what = `resize volume ${JSON.stringify(name)} by resizer ${JSON.stringify(simulatedDriver)}`;
    tell('Warning', 'VolumeResizeFailed', `${what} failed: ${problem}`);
    return { requeueAfterMs: refusedMs };
  }
  refused.delete(uid);
  const hasFileSystem = volume.spec?.volumeMode !== 'Block';
  await enlarge(tools, { claim, volume, size }, signal);
  if (hasFileSystem) {
    await writeStatus(tools, begun, nodeResizeDue(begun, moment), signal);
    tell('Normal', 'FileSystemResizeRequired', 'Require file system resize of volume on node');
  } else {
    await writeStatus(tools, begun, resizeFinished(begun, size), signal);
    tell('Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded');
  }
  return undefined;
}

/** As the driver would say it. */
function problemOf({ spec }: PersistentVolume, size: string): string | undefined {
  const most = spec?.csi?.volumeAttributes?.[maximumSize];
  return most === undefined ? undefined : tooLarge(size, most);
}

/** The volume remembers how large its file system still is. */
async function enlarge(
  { context }: Tools,
  { claim, volume, size }: Expansion,
  signal: AbortSignal,
): Promise<void> {
  const { metadata, spec } = volume;
  if (!isLarger(size, spec?.capacity?.['storage'] ?? '0')) return;
  const annotations =
    spec?.volumeMode === 'Block'
      ? metadata.annotations
      : { ...metadata.annotations, [preResizeCapacity]: claimCapacity(claim) };
  await context.client.resource<PersistentVolume>(persistentVolumesResource).update(
    {
      ...volume,
      metadata: { ...metadata, ...(annotations && { annotations }) },
      spec: { ...spec, capacity: { ...spec?.capacity, storage: size } },
    },
    { signal },
  );
}

/** The file system is as large as the volume. */
async function forgetOldSize(
  { context }: Tools,
  { claim, volume }: Pick<Expansion, 'claim' | 'volume'>,
  signal: AbortSignal,
): Promise<void> {
  const { [preResizeCapacity]: old, ...annotations } = volume.metadata.annotations ?? {};
  if (
    old === undefined ||
    isLarger(volume.spec?.capacity?.['storage'] ?? '0', claimCapacity(claim))
  )
    return;
  const metadata = { ...volume.metadata, annotations };
  await context.client
    .resource<PersistentVolume>(persistentVolumesResource)
    .update({ ...volume, metadata }, { signal });
}

async function writeStatus(
  { context }: Tools,
  claim: PersistentVolumeClaim,
  status: NonNullable<PersistentVolumeClaim['status']>,
  signal: AbortSignal,
): Promise<PersistentVolumeClaim> {
  if (isSameStatus(claim.status, status)) return claim;
  return context.client
    .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
    .namespace(claim.metadata.namespace ?? '')
    .update({ ...claim, status }, { subresource: 'status', signal });
}
