// ComponentStatuses are printed and nothing else; `component-statuses.ts` makes them.

import type { ComponentStatus } from '@keelson/apimachinery/types/core.v1';
import type { Strategy } from '../../strategy.ts';

export const componentStatusStrategy: Strategy<ComponentStatus> = {
  tableCells({ metadata, conditions }) {
    const found = conditions?.find(({ type }) => type === 'Healthy');
    const status =
      found === undefined ? 'Unknown' : found.status === 'True' ? 'Healthy' : 'Unhealthy';
    return [metadata.name ?? '', status, found?.message ?? '', found?.error ?? ''];
  },
};
