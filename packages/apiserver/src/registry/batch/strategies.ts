// The strategies of group `batch`.

import type { Strategy } from '../strategy.ts';
import { cronJobStrategy } from './cronjobs/strategy.ts';
import { jobStrategy } from './jobs/strategy.ts';

export const batchStrategies: Readonly<Record<string, Strategy>> = {
  cronjobs: cronJobStrategy as Strategy,
  jobs: jobStrategy as Strategy,
};
