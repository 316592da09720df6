// How the status of a claim tells of an expansion: its conditions, and by the gate
// RecoverVolumeExpansionFailure what was allocated and how far that has come.

import { formatTime } from '@keelson/apimachinery';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimCondition,
  PersistentVolumeClaimStatus,
} from '@keelson/apimachinery/types/core.v1';

export type ResizeStatus =
  | 'ControllerResizeInProgress'
  | 'ControllerResizeInfeasible'
  | 'NodeResizePending'
  | 'NodeResizeInProgress'
  | 'NodeResizeInfeasible';

const resizeConditions = new Set([
  'Resizing',
  'FileSystemResizePending',
  'ControllerResizeError',
  'NodeResizeError',
]);

export interface ResizeMoment {
  readonly now: number;
  /** RecoverVolumeExpansionFailure. */
  readonly hasRecovery: boolean;
}

export function resizeStatusOf({ status }: PersistentVolumeClaim): string | undefined {
  return status?.allocatedResourceStatuses?.['storage'];
}
export function isFileSystemResizePending({ status }: PersistentVolumeClaim): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: is }) => type === 'FileSystemResizePending' && is === 'True',
  );
}

export function resizeBegun(
  { status = {} }: PersistentVolumeClaim,
  size: string,
  moment: ResizeMoment,
): PersistentVolumeClaimStatus {
  const conditions = withCondition(status, { type: 'Resizing' }, moment.now);
  if (!moment.hasRecovery) return { ...status, conditions };
  return {
    ...withResizeStatus(status, 'ControllerResizeInProgress'),
    conditions,
    allocatedResources: { ...status.allocatedResources, storage: size },
  };
}

/** The driver can never make it so large. */
export function resizeRefused(
  { status = {} }: PersistentVolumeClaim,
  why: string,
  { now, hasRecovery }: ResizeMoment,
): PersistentVolumeClaimStatus {
  if (!hasRecovery) return status;
  const condition = { type: 'ControllerResizeError', message: `failed to expand pvc with ${why}` };
  const kept = (status.conditions ?? []).filter(({ type }) => type !== condition.type);
  return {
    ...withResizeStatus(status, 'ControllerResizeInfeasible'),
    conditions: [...kept, newCondition(status, condition, now)],
  };
}

/** The volume is large enough; its file system is not. */
export function nodeResizeDue(
  { status = {} }: PersistentVolumeClaim,
  { now, hasRecovery }: ResizeMoment,
): PersistentVolumeClaimStatus {
  const message =
    'Waiting for user to (re-)start a pod to finish file system resize of volume on node.';
  const conditions = withCondition(status, { type: 'FileSystemResizePending', message }, now);
  return { ...(hasRecovery ? withResizeStatus(status, 'NodeResizePending') : status), conditions };
}

export function resizeFinished(
  { status = {} }: PersistentVolumeClaim,
  size: string,
): PersistentVolumeClaimStatus {
  const { storage: _, ...statuses } = status.allocatedResourceStatuses ?? {};
  const { allocatedResourceStatuses: __, conditions: ___, ...others } = status;
  const conditions = otherConditions(status);
  return {
    ...others,
    capacity: { ...status.capacity, storage: size },
    ...(conditions.length > 0 && { conditions }),
    ...(Object.keys(statuses).length > 0 && { allocatedResourceStatuses: statuses }),
  };
}

function withResizeStatus(
  status: PersistentVolumeClaimStatus,
  storage: ResizeStatus,
): PersistentVolumeClaimStatus {
  const { allocatedResourceStatuses } = status;
  return { ...status, allocatedResourceStatuses: { ...allocatedResourceStatuses, storage } };
}

type ConditionText = Pick<PersistentVolumeClaimCondition, 'type' | 'message'>;

/** In place of all that told of the expansion before. */
function withCondition(
  status: PersistentVolumeClaimStatus,
  text: ConditionText,
  now: number,
): PersistentVolumeClaimCondition[] {
  return [...otherConditions(status), newCondition(status, text, now)];
}

function otherConditions({ conditions = [] }: PersistentVolumeClaimStatus) {
  return conditions.filter(({ type }) => !resizeConditions.has(type));
}

function newCondition(
  { conditions = [] }: PersistentVolumeClaimStatus,
  text: ConditionText,
  now: number,
): PersistentVolumeClaimCondition {
  const before = conditions.find(({ type, status }) => type === text.type && status === 'True');
  return {
    ...text,
    status: 'True',
    lastTransitionTime: before?.lastTransitionTime ?? formatTime(now),
  };
}
