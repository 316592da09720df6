// The columns of Jobs in `kubectl get jobs`.

import { formatHumanDuration } from '@keelson/apimachinery';
import type { Job } from '@keelson/apimachinery/types/batch.v1';
import { age, labelSelectorText } from '../../printing/cells.ts';
import { containerCells } from '../../core/pod-spec/workload.ts';
import { hasTrueCondition } from './conditions.ts';

export function jobCells(job: Job, nowMs: number): unknown[] {
  return [
    job.metadata.name ?? '',
    statusText(job),
    completionsText(job),
    durationText(job, nowMs),
    age(job, nowMs),
    ...containerCells(job.spec.template),
    labelSelectorText(job.spec.selector),
  ];
}

function statusText(job: Job): string {
  for (const type of ['Complete', 'Failed']) if (hasTrueCondition(job, type)) return type;
  if (job.metadata.deletionTimestamp) return 'Terminating';
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) {
    if (hasTrueCondition(job, type)) return type;
  }
  return 'Running';
}

/** `2/6`; without a number to reach, one success is enough, of however many pods run. */
function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  if (!status?.startTime) return '';
  const end = status.completionTime ? Date.parse(status.completionTime) : nowMs;
  return formatHumanDuration(end - Date.parse(status.startTime));
}
