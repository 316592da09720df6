// Defaults of LimitRanges: for containers the limits follow from each other.

import type { LimitRange, LimitRangeItem } from '@keelson/apimachinery/types/core.v1';

export function applyLimitRangeDefaults({ spec }: LimitRange): void {
  for (const item of spec.limits ?? []) if (item.type === 'Container') completeItem(item);
}

/** No default limit: the maximum. No default request: the default limit, else the minimum. */
function completeItem(item: LimitRangeItem): void {
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}
