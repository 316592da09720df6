// A snapshot that is to be: its class is chosen, its content made or found, both say that they belong
// together, and what the driver says of the content the snapshot says too.

import { formatQuantity, createQuantity, formatTime, isStatusError } from '@keelson/apimachinery';
import type { PersistentVolume } from '@keelson/apimachinery/types/core.v1';
import { persistentVolumeClaimsResource } from '../machinery/resources.ts';
import { isBoundTo } from '../volumes/claim-sizes.ts';
import {
  changeFinalizers,
  contentClient,
  failSnapshot,
  snapshotClient,
  tellSnapshot,
  writeSnapshotStatus,
  type SnapshotTools,
} from './snapshot-tools.ts';
import {
  boundFinalizer,
  claimFinalizer,
  defaultSnapshotClass,
  isBoundContent,
  snapshotKind,
  sourceFinalizer,
  type VolumeSnapshot,
  type VolumeSnapshotClass,
  type VolumeSnapshotContent,
} from './snapshot-types.ts';

/** Why a content cannot be made; people read it in the snapshot. */
class SnapshotInputError extends Error {}

export async function reconcileSnapshot(
  tools: SnapshotTools,
  given: VolumeSnapshot,
): Promise<void> {
  const snapshot = await changeFinalizers(snapshotClient(tools, given), given, {
    add: [sourceFinalizer],
  });
  const content =
    snapshot.spec.source.volumeSnapshotContentName === undefined
      ? await contentOfClaim(tools, snapshot)
      : await contentByName(tools, snapshot);
  if (content === undefined) return;
  const isDeletedWith = content.spec.deletionPolicy === 'Delete';
  const bound = isDeletedWith
    ? await changeFinalizers(snapshotClient(tools, snapshot), snapshot, { add: [boundFinalizer] })
    : snapshot;
  await followContent(tools, bound, content);
}

/** Made for the snapshot, from its claim. */
async function contentOfClaim(
  tools: SnapshotTools,
  snapshot: VolumeSnapshot,
): Promise<VolumeSnapshotContent | undefined> {
  const name = contentNameOf(snapshot);
  const known = tools.objects.contents.store.get('', name) ?? (await boundContent(tools, snapshot));
  if (known !== undefined) {
    if (isBoundContent(known, snapshot)) return known;
    const message = `VolumeSnapshotContent [${name}] is bound to a different snapshot`;
    await failSnapshot(tools, snapshot, { reason: 'SnapshotContentMisbound', message });
    return undefined;
  }
  if (isBound(snapshot)) {
    // It is lost. Another one would be of another time.
    await failSnapshot(tools, snapshot, contentMissing);
    return undefined;
  }
  try {
    return await createContent(tools, snapshot, name);
  } catch (error) {
    if (!(error instanceof SnapshotInputError)) throw error;
    const message = `Failed to create snapshot content with error ${error.message}`;
    await failSnapshot(tools, snapshot, { reason: 'SnapshotContentCreationFailed', message });
    return undefined;
  }
}

const isBound = ({ status }: VolumeSnapshot) =>
  status?.boundVolumeSnapshotContentName !== undefined;

/** Asked of the server before it is taken for lost: the cache may be behind. */
async function boundContent(
  tools: SnapshotTools,
  snapshot: VolumeSnapshot,
): Promise<VolumeSnapshotContent | undefined> {
  if (!isBound(snapshot)) return undefined;
  try {
    return await contentClient(tools).get(contentNameOf(snapshot));
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

const nanosecondsPerMs = 1_000_000;

export const contentNameOf = ({ metadata }: VolumeSnapshot): string =>
  `snapcontent-${metadata.uid}`;
const contentMissing = {
  reason: 'SnapshotContentMissing',
  message: 'VolumeSnapshotContent is missing',
};

async function createContent(
  tools: SnapshotTools,
  snapshot: VolumeSnapshot,
  name: string,
): Promise<VolumeSnapshotContent | undefined> {
  const volume = sourceVolume(tools, snapshot);
  const snapshotClass = classOf(tools, snapshot, volume);
  const className = snapshotClass.metadata.name ?? '';
  if (snapshot.spec.volumeSnapshotClassName === undefined) {
    const spec = { ...snapshot.spec, volumeSnapshotClassName: className };
    await snapshotClient(tools, snapshot).update({ ...snapshot, spec });
    // Its next state goes on.
    return undefined;
  }
  await keepClaim(tools, snapshot);
  const { namespace = '', name: snapshotName = '', uid = '' } = snapshot.metadata;
  const { apiVersion, kind } = snapshotKind;
  try {
    const created = await contentClient(tools).create({
      metadata: { name },
      spec: {
        deletionPolicy: snapshotClass.deletionPolicy,
        driver: snapshotClass.driver,
        source: { volumeHandle: volume.spec?.csi?.volumeHandle ?? '' },
        sourceVolumeMode: volume.spec?.volumeMode ?? 'Filesystem',
        volumeSnapshotClassName: className,
        volumeSnapshotRef: { apiVersion, kind, namespace, name: snapshotName, uid },
      },
    });
    const message = `Waiting for a snapshot ${namespace}/${snapshotName} to be created by the CSI driver.`;
    tellSnapshot(tools, snapshot, { type: 'Normal', reason: 'CreatingSnapshot', message });
    return created;
  } catch (error) {
    // The cache was behind: the content will be seen.
    if (isStatusError(error, 'AlreadyExists')) return undefined;
    throw error;
  }
}

function sourceVolume(
  { objects: { claims, volumes } }: SnapshotTools,
  { metadata: { namespace = '', name }, spec }: VolumeSnapshot,
): PersistentVolume {
  const { persistentVolumeClaimName: claimName = '' } = spec.source;
  const fail = (why: string) =>
    new SnapshotInputError(
      `failed to get input parameters to create snapshot ${name}: ${JSON.stringify(why)}`,
    );
  const claim = claims.store.get(namespace, claimName);
  if (claim === undefined)
    throw fail(`failed to retrieve PVC ${claimName} from the lister: not found`);
  const volume = volumes.store.get('', claim.spec?.volumeName ?? '');
  if (volume === undefined || !isBoundTo(claim, volume) || claim.status?.phase !== 'Bound')
    throw fail(
      `the PVC ${claimName} is not yet bound to a PV, will not attempt to take a snapshot`,
    );
  if (volume.spec?.csi === undefined)
    throw new SnapshotInputError(
      `cannot find CSI PersistentVolumeSource for volume ${volume.metadata.name}`,
    );
  return volume;
}

/** The one that is named, or the only default of the volume's driver. */
function classOf(
  { objects: { classes } }: SnapshotTools,
  { spec: { volumeSnapshotClassName: name } }: VolumeSnapshot,
  volume: PersistentVolume,
): VolumeSnapshotClass {
  if (name !== undefined) {
    const named = classes.store.get('', name);
    if (named === undefined)
      throw new SnapshotInputError(`failed to retrieve snapshot class ${name} from the informer`);
    return named;
  }
  const defaults = classes.store
    .list()
    .filter(({ driver }) => driver === volume.spec?.csi?.driver)
    .filter(({ metadata }) => metadata.annotations?.[defaultSnapshotClass] === 'true');
  const [found] = defaults;
  if (found === undefined) throw new SnapshotInputError('cannot find default snapshot class');
  if (defaults.length > 1)
    throw new SnapshotInputError(`${defaults.length} default snapshot classes were found`);
  return found;
}

/** While a snapshot is made of it. */
async function keepClaim(
  { context, objects }: SnapshotTools,
  { metadata: { namespace = '' }, spec }: VolumeSnapshot,
): Promise<void> {
  const claim = objects.claims.store.get(namespace, spec.source.persistentVolumeClaimName ?? '');
  if (claim === undefined) return;
  if (claim.metadata.deletionTimestamp !== undefined)
    throw new SnapshotInputError(
      `cannot add finalizer on claim [${namespace}/${claim.metadata.name}] for snapshot: claim is being deleted`,
    );
  const claims = context.client.resource<typeof claim>(persistentVolumeClaimsResource);
  await changeFinalizers(claims.namespace(namespace), claim, { add: [claimFinalizer] });
}

/** Somebody has made it, for this snapshot. */
async function contentByName(
  tools: SnapshotTools,
  snapshot: VolumeSnapshot,
): Promise<VolumeSnapshotContent | undefined> {
  const name = snapshot.spec.source.volumeSnapshotContentName ?? '';
  const content = tools.objects.contents.store.get('', name);
  const problem = problemOf(snapshot, content);
  if (content === undefined || problem !== undefined) {
    await failSnapshot(tools, snapshot, problem ?? contentMissing);
    return undefined;
  }
  const { uid = '' } = snapshot.metadata;
  if (content.spec.volumeSnapshotRef.uid === uid) return content;
  const volumeSnapshotRef = { ...content.spec.volumeSnapshotRef, uid };
  return contentClient(tools).update({ ...content, spec: { ...content.spec, volumeSnapshotRef } });
}

function problemOf({ metadata }: VolumeSnapshot, content: VolumeSnapshotContent | undefined) {
  if (content === undefined) return contentMissing;
  const { source, volumeSnapshotRef: reference } = content.spec;
  if (source.snapshotHandle === undefined)
    return {
      reason: 'SnapshotContentMismatch',
      message:
        'VolumeSnapshotContent is dynamically provisioned while expecting a pre-provisioned one',
    };
  const isOurs =
    reference.name === metadata.name &&
    reference.namespace === metadata.namespace &&
    (reference.uid === undefined || reference.uid === '' || reference.uid === metadata.uid);
  if (isOurs) return undefined;
  return {
    reason: 'SnapshotContentMisbound',
    message: `VolumeSnapshotContent [${content.metadata.name}] is bound to a different snapshot`,
  };
}

async function followContent(
  tools: SnapshotTools,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent,
): Promise<void> {
  const { creationTime, readyToUse = false, restoreSize, error } = content.status ?? {};
  const status = {
    boundVolumeSnapshotContentName: content.metadata.name ?? '',
    readyToUse,
    ...(creationTime !== undefined && {
      creationTime: formatTime(Number(creationTime) / nanosecondsPerMs),
    }),
    ...(restoreSize !== undefined && {
      restoreSize: formatQuantity(createQuantity(BigInt(restoreSize), 'BinarySI')),
    }),
    ...(error !== undefined && { error }),
  };
  await writeSnapshotStatus(tools, snapshot, status);
  const { namespace, name } = snapshot.metadata;
  const tell = (reason: string, end: string) =>
    tellSnapshot(tools, snapshot, {
      type: 'Normal',
      reason,
      message: `Snapshot ${namespace}/${name} ${end}`,
    });
  if (creationTime !== undefined && snapshot.status?.creationTime === undefined)
    tell('SnapshotCreated', 'was successfully created by the CSI driver.');
  if (readyToUse && snapshot.status?.readyToUse !== true) tell('SnapshotReady', 'is ready to use.');
}
