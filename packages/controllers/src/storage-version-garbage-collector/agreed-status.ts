// What a StorageVersion says when only these servers report: the version that all of them write, if
// they agree, and since when they do.

import { findCondition, formatTime, transitionTime, withCondition } from '@keelson/apimachinery';
import type {
  ServerStorageVersion,
  StorageVersion,
  StorageVersionCondition,
} from '@keelson/apimachinery/types/internal.apiserver.k8s.io.v1alpha1';

const conditionType = 'AllEncodingVersionsEqual';

export function agreedStatus(
  { metadata, status = {} }: StorageVersion,
  servers: readonly ServerStorageVersion[],
  nowMs: number,
): NonNullable<StorageVersion['status']> {
  const { commonEncodingVersion: before, conditions = [], ...rest } = status;
  const [first, ...others] = servers.map(({ encodingVersion }) => encodingVersion);
  const common = others.every((version) => version === first) ? first : undefined;
  const state = common === undefined ? 'False' : 'True';
  const word = common === undefined ? 'unset' : 'set';
  const now = formatTime(nowMs);
  // Another version is another agreement, though the status is the same.
  const isOther = before !== undefined && common !== undefined && before !== common;
  const known = findCondition(conditions, conditionType);
  const condition: StorageVersionCondition = {
    type: conditionType,
    status: state,
    reason: common === undefined ? 'CommonEncodingVersionUnset' : 'CommonEncodingVersionSet',
    message: `Common encoding version ${word}`,
    lastTransitionTime: isOther ? now : transitionTime(known, state, now),
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
  };
  return {
    ...rest,
    storageVersions: [...servers],
    ...(common !== undefined && { commonEncodingVersion: common }),
    conditions: withCondition(conditions, condition),
  };
}
