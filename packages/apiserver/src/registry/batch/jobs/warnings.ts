// Warnings about the specification of a Job, in Jobs and in CronJobs.

import type { JobSpec } from '@keelson/apimachinery/types/batch.v1';
import type { Features } from '../../../features/features.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import { manyCompletions } from './validation.ts';

const manyParallel = 10_000;

export function jobSpecWarnings(path: string, spec: JobSpec, features: Features): string[] {
  const { completionMode, completions = 0, parallelism = 0 } = spec;
  const isHuge =
    completionMode === 'Indexed' && completions > manyCompletions && parallelism > manyParallel;
  return [
    ...(isHuge
      ? [
          'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
        ]
      : []),
    ...podTemplateWarnings(`${path}.template`, spec.template, features),
  ];
}
