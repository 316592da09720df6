// ResourceSlices: devices that a driver offers.

import type { ResourceSlice } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { formatTime } from '@keelson/apimachinery';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { validateSlice } from './validation.ts';

export const resourceSliceStrategy: Strategy<ResourceSlice> = {
  prepareForCreate(slice, { nowMs }) {
    startGeneration(slice);
    dateTaints(slice, nowMs);
  },
  prepareForUpdate(slice, old, { nowMs }) {
    dateTaints(slice, nowMs);
    advanceGeneration(slice, old, !isSemanticallyEqual(slice.spec, old.spec));
  },
  validate: (slice) => validateSlice(slice, undefined),
  validateUpdate: validateSlice,
  tableCells: (slice, nowMs) => [
    slice.metadata.name,
    slice.spec.nodeName ?? '',
    slice.spec.driver,
    slice.spec.pool.name,
    age(slice, nowMs),
  ],
  returnDeletedObject: true,
  fieldValues: ({ spec }) => ({
    'spec.nodeName': spec.nodeName ?? '',
    'spec.driver': spec.driver,
  }),
  unknownFieldLabel: (label) =>
    `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${label}`,
};

/** When a taint was added matters to tolerations that end. */
function dateTaints({ spec }: ResourceSlice, nowMs: number): void {
  for (const device of spec.devices ?? []) {
    for (const taint of device.taints ?? []) taint.timeAdded ??= formatTime(nowMs);
  }
}
