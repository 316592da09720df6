// ComponentStatuses are printed and nothing else; `component-statuses.ts` makes them.

import { findCondition } from '@keelson/apimachinery';
import type { ComponentStatus } from '@keelson/apimachinery/types/core.v1';
import type { Strategy } from '../../strategy.ts';

export const componentStatusStrategy: Strategy<ComponentStatus> = {
  tableCells({ metadata, conditions }) {
    const found = findCondition(conditions, 'Healthy');
    const status =
      found === undefined ? 'Unknown' : found.status === 'True' ? 'Healthy' : 'Unhealthy';
    return [metadata.name ?? '', status, found?.message ?? '', found?.error ?? ''];
  },
};
