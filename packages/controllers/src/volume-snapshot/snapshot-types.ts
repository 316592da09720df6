// The kinds of snapshot.storage.k8s.io/v1, as far as controllers read them.

import type { GroupVersionResource, KubeObject } from '@keelson/apimachinery';

export interface SnapshotError {
  readonly message?: string;
  readonly time?: string;
}
export interface VolumeSnapshot extends KubeObject {
  readonly spec: {
    readonly source: {
      readonly persistentVolumeClaimName?: string;
      readonly volumeSnapshotContentName?: string;
    };
    readonly volumeSnapshotClassName?: string;
  };
  readonly status?: {
    readonly boundVolumeSnapshotContentName?: string;
    readonly creationTime?: string;
    readonly readyToUse?: boolean;
    readonly restoreSize?: string;
    readonly error?: SnapshotError;
  };
}
export interface VolumeSnapshotContent extends KubeObject {
  readonly spec: {
    readonly deletionPolicy: string;
    readonly driver: string;
    readonly source: { readonly volumeHandle?: string; readonly snapshotHandle?: string };
    /** Absent: nobody knows. */
    readonly sourceVolumeMode?: string;
    readonly volumeSnapshotClassName?: string;
    readonly volumeSnapshotRef: {
      readonly apiVersion?: string;
      readonly kind?: string;
      readonly namespace?: string;
      readonly name?: string;
      readonly uid?: string;
    };
  };
  readonly status?: {
    readonly snapshotHandle?: string;
    /** Nanoseconds since 1970; as large a number is decoded as a bigint. */
    readonly creationTime?: number | bigint;
    readonly readyToUse?: boolean;
    /** Bytes. */
    readonly restoreSize?: number | bigint;
    readonly error?: SnapshotError;
  };
}
export interface VolumeSnapshotClass extends KubeObject {
  readonly driver: string;
  readonly deletionPolicy: string;
}

const group = 'snapshot.storage.k8s.io';
const v1 = (resource: string): GroupVersionResource => ({ group, version: 'v1', resource });
export const volumeSnapshotsResource = v1('volumesnapshots');
export const volumeSnapshotContentsResource = v1('volumesnapshotcontents');
export const volumeSnapshotClassesResource = v1('volumesnapshotclasses');
/** Names of their definitions. */
export const snapshotDefinitions = [
  `volumesnapshots.${group}`,
  `volumesnapshotcontents.${group}`,
  `volumesnapshotclasses.${group}`,
];
export const snapshotKind = {
  apiVersion: `${group}/v1`,
  kind: 'VolumeSnapshot',
  resource: volumeSnapshotsResource,
};

const prefix = 'snapshot.storage.kubernetes.io';
/** Of a snapshot whose content is deleted with it: until that is done. */
export const boundFinalizer = `${prefix}/volumesnapshot-bound-protection`;
/** Of a snapshot: while a claim is made from it. */
export const sourceFinalizer = `${prefix}/volumesnapshot-as-source-protection`;
/** Of a content: until the driver has deleted what it stands for. */
export const contentFinalizer = `${prefix}/volumesnapshotcontent-bound-protection`;
/** Of a claim: while a snapshot is made of it. */
export const claimFinalizer = `${prefix}/pvc-as-source-protection`;
export const beingDeleted = `${prefix}/volumesnapshot-being-deleted`;
export const defaultSnapshotClass = `${prefix}/is-default-class`;
/** On a content, for those who may change contents: claims of another mode may be made from it. */
export const allowVolumeModeChange = `${prefix}/allow-volume-mode-change`;

export const isBoundContent = (
  { spec: { volumeSnapshotRef: reference } }: VolumeSnapshotContent,
  { metadata }: VolumeSnapshot,
): boolean =>
  reference.uid === metadata.uid &&
  reference.name === metadata.name &&
  reference.namespace === metadata.namespace;
