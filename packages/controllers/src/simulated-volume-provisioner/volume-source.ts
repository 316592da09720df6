// Whether a claim may be made from what it names as its source, as the external provisioner judges:
// a snapshot has to be ready, of this driver and no larger than the claim, and a volume that was
// written as blocks does not become a file system (or the other way round) unless somebody who may
// change the content has allowed it (KEP-3141): a node would mount what a user has composed.

import { isStatusError, parseQuantity, quantityValue } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Client, Informer } from '@keelson/client';
import { errorText } from '../machinery/controller.ts';
import {
  allowVolumeModeChange,
  isBoundContent,
  sourceFinalizer,
  volumeSnapshotContentsResource,
  volumeSnapshotsResource,
  type VolumeSnapshot,
  type VolumeSnapshotContent,
} from '../volume-snapshot/snapshot-types.ts';
import { isBoundTo, isLarger, requestedStorage } from '../volumes/claim-sizes.ts';
import { simulatedDriver } from '../volumes/simulated-driver.ts';

export interface DataSourceTools {
  readonly client: Client;
  readonly claims: Pick<Informer<PersistentVolumeClaim>, 'store'>;
  readonly volumes: Pick<Informer<PersistentVolume>, 'store'>;
}

export type DataSourceJudgement =
  | { readonly is: 'fine' }
  /** Somebody else fills such volumes. */
  | { readonly is: 'foreign' }
  | { readonly is: 'refused'; readonly why: string };

const fine = { is: 'fine' } as const;

export async function judgeDataSource(
  tools: DataSourceTools,
  claim: PersistentVolumeClaim,
): Promise<DataSourceJudgement> {
  const source = claim.spec?.dataSourceRef ?? claim.spec?.dataSource;
  if (source === undefined) return fine;
  const { kind, name } = source;
  // Null in the core group.
  const apiGroup = source.apiGroup ?? '';
  const { namespace = '', name: claimName } = claim.metadata;
  const elsewhere = claim.spec?.dataSourceRef?.namespace ?? namespace;
  const isSnapshot = kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io';
  const isClaim = kind === 'PersistentVolumeClaim' && apiGroup === '';
  if (!isSnapshot && !isClaim) return { is: 'foreign' };
  if (elsewhere !== namespace)
    return {
      is: 'refused',
      why: `accessing ${elsewhere}/${name} of ${kind} dataSource from ${namespace}/${claimName} isn't allowed`,
    };
  const why = isSnapshot
    ? await problemOfSnapshot(tools, claim, name)
    : problemOfClone(tools, claim, name);
  if (why === undefined) return fine;
  return {
    is: 'refused',
    why: `error getting handle for DataSource Type ${kind} by Name ${name}: ${why}`,
  };
}

async function problemOfSnapshot(
  { client }: DataSourceTools,
  claim: PersistentVolumeClaim,
  name: string,
): Promise<string | undefined> {
  const { namespace = '' } = claim.metadata;
  const snapshots = client.resource<VolumeSnapshot>(volumeSnapshotsResource).namespace(namespace);
  const contents = client.resource<VolumeSnapshotContent>(volumeSnapshotContentsResource);
  const unlessRefused = <T>(read: Promise<T>): Promise<T | string> =>
    read.catch((error: unknown) => {
      if (!isStatusError(error)) throw error;
      return errorText(error);
    });
  const snapshot = await unlessRefused(snapshots.get(name));
  if (typeof snapshot === 'string')
    return `error getting snapshot ${name} from api server: ${snapshot}`;
  const { metadata, status } = snapshot;
  const isProtected = metadata.finalizers?.includes(sourceFinalizer) === true;
  if (metadata.deletionTimestamp !== undefined && !isProtected)
    return `snapshot ${name} is being deleted`;
  const notBound = `snapshot ${name} not bound`;
  if (status?.boundVolumeSnapshotContentName === undefined) return notBound;
  const content = await unlessRefused(contents.get(status.boundVolumeSnapshotContentName));
  if (typeof content === 'string' || !isBoundContent(content, snapshot)) return notBound;
  if (content.spec.driver !== simulatedDriver) return notBound;
  if (status.readyToUse !== true) return `snapshot ${name} is not Ready`;
  if (content.status?.snapshotHandle === undefined)
    return `snapshot handle ${name} is not available`;
  return problemOfSize(claim, name, status.restoreSize) ?? problemOfMode(claim, content);
}

function problemOfSize(
  claim: PersistentVolumeClaim,
  name: string,
  restoreSize: string | undefined,
): string | undefined {
  const requested = requestedStorage(claim);
  if (restoreSize === undefined || !isLarger(restoreSize, requested)) return undefined;
  const bytes = (text: string) => quantityValue(parseQuantity(text));
  return `requested volume size ${bytes(requested)} is less than the size ${bytes(restoreSize)} for the source snapshot ${name}`;
}

/** SECURITY: everything but a clear yes is a no. */
function problemOfMode(
  { metadata, spec }: PersistentVolumeClaim,
  content: VolumeSnapshotContent,
): string | undefined {
  const { sourceVolumeMode } = content.spec;
  const { name, annotations } = content.metadata;
  if (sourceVolumeMode === undefined) return undefined;
  if (sourceVolumeMode === (spec?.volumeMode ?? 'Filesystem')) return undefined;
  const allowed = annotations?.[allowVolumeModeChange];
  if (allowed !== undefined && yes.has(allowed)) return undefined;
  const what = `requested volume ${metadata.namespace}/${metadata.name} modifies the mode of the source volume but does not have permission to do so.`;
  if (allowed === undefined)
    return `${what} ${allowVolumeModeChange} annotation is not present on snapshotcontent ${name}`;
  if (no.has(allowed))
    return `${what} ${allowVolumeModeChange} is set to false on snapshotcontent ${name}`;
  const quoted = JSON.stringify(allowed);
  return `${what} failed to convert ${allowVolumeModeChange} annotation value to boolean with error: strconv.ParseBool: parsing ${quoted}: invalid syntax`;
}

/** COMPAT: as Go reads truth values. */
const yes = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const no = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

function problemOfClone(
  { claims, volumes }: DataSourceTools,
  claim: PersistentVolumeClaim,
  name: string,
): string | undefined {
  const { namespace = '' } = claim.metadata;
  const source = claims.store.get(namespace, name);
  if (source === undefined)
    return `error getting PVC ${name} (namespace ${JSON.stringify(namespace)}) from api server: persistentvolumeclaims ${JSON.stringify(name)} not found`;
  const volume = volumes.store.get('', source.spec?.volumeName ?? '');
  const isReady =
    source.status?.phase === 'Bound' &&
    volume?.spec?.csi?.driver === simulatedDriver &&
    isBoundTo(source, volume);
  if (volume === undefined || !isReady) return 'claim in dataSource not bound or invalid';
  const [asked, has] = [requestedStorage(claim), requestedStorage(source)];
  if (isLarger(has, asked))
    return `error, new PVC request must be greater than or equal in size to the specified PVC data source, requested ${asked} but source is ${has}`;
  const mode = claim.spec?.volumeMode ?? 'Filesystem';
  const sourceMode = volume.spec?.volumeMode ?? 'Filesystem';
  if (mode === sourceMode) return undefined;
  return `the source PVC and destination PVCs must have the same volume mode for cloning.  Source is ${sourceMode}, but new PVC requested ${mode}`;
}
