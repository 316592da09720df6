// CronJobs: Jobs at given times.

import { copyJson } from '@keelson/apimachinery';
import type { CronJob } from '@keelson/apimachinery/types/batch.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age, labelSelectorText, noneText, since } from '../../printing/cells.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { dropDisabledPodFields } from '../../core/pod-spec/disabled-fields.ts';
import { containerCells, podNameWarnings } from '../../core/pod-spec/workload.ts';
import type { Strategy } from '../../strategy.ts';
import { defaultFailurePolicy } from '../jobs/defaults.ts';
import { jobSpecWarnings } from '../jobs/warnings.ts';
import { validateCronJob } from './validation.ts';

export const cronJobStrategy: Strategy<CronJob> = {
  nameRule: nameIsDns1123Subdomain,
  applyDefaults({ spec }, features) {
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    // The rest is for the Job to fill in.
    const job = spec.jobTemplate.spec;
    defaultFailurePolicy({ spec: job });
    defaultPodTemplate(job.template, features);
  },

  prepareForCreate(object, { features }) {
    object.status = {};
    startGeneration(object);
    dropDisabledPodFields(object.spec.jobTemplate.spec.template.spec, undefined, features);
  },
  validate: (object, { features }) => validateCronJob(object, features),
  warningsOnCreate: (object, { features }) => [
    ...podNameWarnings(object.metadata.name),
    ...jobSpecWarnings('spec.jobTemplate.spec', object.spec.jobTemplate.spec, features),
    ...timeZoneWarnings(object),
  ],

  prepareForUpdate(object, old, { features }) {
    object.status = copyJson(old.status);
    const template = object.spec.jobTemplate.spec.template.spec;
    dropDisabledPodFields(template, old.spec.jobTemplate.spec.template.spec, features);
    advanceGeneration(object, old, !isSemanticallyEqual(object.spec, old.spec));
  },
  validateUpdate: (object, old, { features }) => validateCronJob(object, features, old),
  warningsOnUpdate: (object, old, { features }) => [
    ...(object.metadata.generation === old.metadata.generation
      ? []
      : jobSpecWarnings('spec.jobTemplate.spec', object.spec.jobTemplate.spec, features)),
    ...timeZoneWarnings(object),
  ],

  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    object.spec.schedule,
    object.spec.timeZone ?? noneText,
    object.spec.suspend === true ? 'True' : 'False',
    object.status?.active?.length ?? 0,
    object.status?.lastScheduleTime ? since(object.status.lastScheduleTime, nowMs) : noneText,
    age(object, nowMs),
    ...containerCells(object.spec.jobTemplate.spec.template),
    labelSelectorText(object.spec.jobTemplate.spec.selector),
  ],
  resetFields: [['status']],
  subresources: {
    status: {
      prepareForUpdate(object, old) {
        object.spec = copyJson(old.spec);
      },
      resetFields: [['spec']],
    },
  },
};

function timeZoneWarnings({ spec }: CronJob): string[] {
  if (!spec.schedule.includes('TZ')) return [];
  // COMPAT: the path is wrong in Kubernetes too.
  return [
    'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone field instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones',
  ];
}
