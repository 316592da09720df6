// Defaults of LimitRanges: for containers the limits follow from each other.

import type { LimitRange, LimitRangeItem } from '@keelson/apimachinery/types/core.v1';
import { roundUpResources } from '../pod-spec/defaults.ts';

export function applyLimitRangeDefaults({ spec }: LimitRange): void {
  for (const item of spec.limits ?? []) {
    if (item.type === 'Container') completeItem(item);
    roundUpItem(item);
  }
}

/** No default limit: the maximum. No default request: the default limit, else the minimum. */
function completeItem(item: LimitRangeItem): void {
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}

function roundUpItem(item: LimitRangeItem): void {
  const { max, min, default: limits, defaultRequest, maxLimitRequestRatio } = item;
  for (const list of [max, min, limits, defaultRequest, maxLimitRequestRatio]) {
    if (list) roundUpResources(list);
  }
}
