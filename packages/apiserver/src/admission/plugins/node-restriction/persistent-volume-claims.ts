// A node reports how large a volume became, and nothing else about a claim.

import type { KubeObject } from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { isSemanticallyEqual } from '../../../registry/validation/equality.ts';
import { asKind } from '../../request-match.ts';
import type { NodeRequest } from './request.ts';

export function admitPersistentVolumeClaim(request: NodeRequest): void {
  const { nodeName, attributes, dependencies, refuse } = request;
  const { subresource, operation, object, oldObject } = attributes;
  if (subresource !== 'status') throw refuse('may only update PVC status');
  if (operation !== 'UPDATE' || object === undefined || oldObject === undefined)
    throw refuse(`unexpected operation ${JSON.stringify(operation)}`);
  const resizes = dependencies.features.enabled('RecoverVolumeExpansionFailure');
  const [kept, keptOld] = [fixedParts(object, resizes), fixedParts(oldObject, resizes)];
  if (isSemanticallyEqual(kept, keptOld)) return;
  const fields = differingPaths(kept, keptOld).join(', ');
  throw refuse(
    `node ${JSON.stringify(nodeName)} is not allowed to update fields other than status.quantity and status.conditions: ${fields}`,
  );
}

/** Everything that must stay as it is. */
function fixedParts(object: KubeObject, resizes: boolean): object {
  const { resourceVersion, managedFields, ...metadata } = object.metadata;
  void [resourceVersion, managedFields];
  const { capacity, conditions, ...status } = asKind<PersistentVolumeClaim>(object).status ?? {};
  void [capacity, conditions];
  if (!resizes) return { ...object, metadata, status };
  const { allocatedResources, allocatedResourceStatuses, ...rest } = status;
  void [allocatedResources, allocatedResourceStatuses];
  return { ...object, metadata, status: rest };
}

/** Paths of fields that differ, two levels deep: `metadata.labels`, `spec.volumeName`. */
function differingPaths(a: object, b: object, depth = 2, prefix = ''): string[] {
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) => {
    const [x, y] = [left[key], right[key]];
    if (isSemanticallyEqual(x, y)) return [];
    const deeper = depth > 1 && isObject(x) && isObject(y);
    return deeper ? differingPaths(x, y, depth - 1, `${prefix}${key}.`) : [`${prefix}${key}`];
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
