// What kube-controller-manager measures of Jobs: syncs, and what ended how.

import type { Job, JobStatus } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { exponentialBuckets } from '../machinery/controller-metrics.ts';
import type { ControllerContext } from '../machinery/controller.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { countIndexes, parseIndexes } from './indexes.ts';
import { trackingFinalizer } from './job-pods.ts';
import type { JobObservation } from './observe-job.ts';
import { judgeFailure } from './pod-failure-policy.ts';

/** What one sync did. */
export type SyncAction = 'reconciling' | 'tracking' | 'pods_created' | 'pods_deleted';

export interface JobMetrics {
  synced(job: Job, sync: { action: SyncAction; isSuccess: boolean; seconds: number }): void;
  finished(
    job: Job,
    end: { readonly result: 'succeeded' | 'failed'; readonly reason: string },
  ): void;
  /** The status was written. */
  counted(job: Job, before: JobStatus | undefined, after: JobStatus): void;
  /** Pods that failed were counted as the policy wants. */
  judged(job: Job, pods: readonly Pod[]): void;
  /** A pod was made, or could not be. */
  made(observation: JobObservation, isMade: boolean): void;
  /** A Job came that somebody else looks after. */
  leftTo(controller: string): void;
  /** A pod as it was and as it is; undefined when it was not there, or is gone. */
  seen(before: Pod | undefined, after: Pod | undefined): void;
}

type MetricsContext = Pick<ControllerContext, 'isEnabled' | 'metrics'>;

export function createJobMetrics(context: MetricsContext): JobMetrics {
  const { metrics } = context;
  const indexes = createIndexMetrics(context);
  const counter = (name: string, help: string) => metrics.counter(`job_controller_${name}`, help);
  const syncSeconds = metrics.histogram(
    'job_controller_job_sync_duration_seconds',
    '[STABLE] The time it took to sync a job',
    exponentialBuckets(0.004, 2, 15),
  );
  const syncs = counter('job_syncs_total', '[STABLE] The number of job syncs');
  const ended = counter('jobs_finished_total', '[STABLE] The number of finished jobs');
  const pods = counter(
    'job_pods_finished_total',
    '[STABLE] The number of finished Pods that are fully tracked',
  );
  const handled = counter(
    'pod_failures_handled_by_failure_policy_total',
    '[BETA] The number of failed Pods handled by failure policy with respect to the failure policy action applied based on the matched rule. Possible values of the action label correspond to the possible values for the failure policy rule action, which are: "FailJob", "Ignore" and "Count".',
  );
  const tracking = counter(
    'terminated_pods_tracking_finalizer_total',
    '[BETA] The number of terminated pods (phase=Failed|Succeeded) that have the finalizer batch.kubernetes.io/job-tracking. The event label can be "add" or "delete".',
  );
  const external = counter(
    'jobs_by_external_controller_total',
    '[ALPHA] The number of Jobs managed by an external controller',
  );
  const modeOf = ({ spec }: Job) => spec.completionMode ?? 'NonIndexed';
  return {
    synced(job, { action, isSuccess, seconds }) {
      const result = isSuccess ? 'success' : 'error';
      const labels = { action, completion_mode: modeOf(job), result };
      syncs.add(labels);
      syncSeconds.observe(labels, seconds);
    },
    finished: (job, { result, reason }) =>
      ended.add({ completion_mode: modeOf(job), reason, result }),
    counted(job, before, after) {
      for (const result of ['succeeded', 'failed'] as const) {
        const more = (after[result] ?? 0) - (before?.[result] ?? 0);
        if (more > 0) pods.add({ completion_mode: modeOf(job), result }, more);
      }
      indexes(job, before, after);
    },
    made: createCreationMetrics(context),
    leftTo: (controller) => external.add({ controller_name: controller }),
    judged(job, failed) {
      for (const pod of failed) {
        const { action } = judgeFailure(job.spec.podFailurePolicy, pod);
        if (pod.status?.phase === 'Failed' && action !== undefined) handled.add({ action });
      }
    },
    seen(before, after) {
      const [was, is] = [isHeld(before), isHeld(after)];
      if (was !== is) tracking.add({ event: is ? 'add' : 'delete' });
    },
  };
}

function isHeld(pod: Pod | undefined): boolean {
  if (pod?.metadata.finalizers?.includes(trackingFinalizer) !== true) return false;
  return isPodFinished(pod);
}

/** To be told of each status that was written. */
function createIndexMetrics({ metrics }: MetricsContext): JobMetrics['counted'] {
  const indexes = metrics.counter(
    'job_controller_job_finished_indexes_total',
    '[ALPHA] The number of finished indexes. Possible values for the status label are: "succeeded", "failed". Possible values for the backoffLimit label are: "perIndex" and "global"',
  );
  return (job, before, after) => {
    for (const [status, count] of finishedIndexes(job, before, after))
      if (count > 0) indexes.add({ backoffLimit: backoffLimitOf(job), status }, count);
  };
}

function createCreationMetrics({ metrics, isEnabled }: MetricsContext): JobMetrics['made'] {
  const creations = metrics.counter(
    'job_controller_job_pods_creation_total',
    '[ALPHA] The number of Pods created by the Job controller labelled with a reason for the Pod creation. This metric also distinguishes between Pods created using different PodReplacementPolicy settings. Possible values of the "reason" label are: "new", "recreate_terminating_or_failed", "recreate_failed". Possible values of the "status" label are: "succeeded", "failed".',
  );
  const hasPolicy = isEnabled('JobPodReplacementPolicy');
  return (observation, isMade) =>
    creations.add({
      reason: hasPolicy ? reasonOf(observation) : 'new',
      status: isMade ? 'succeeded' : 'failed',
    });
}

function finishedIndexes(
  { spec }: Job,
  before: JobStatus | undefined,
  after: JobStatus,
): readonly (readonly [status: string, count: number])[] {
  if (spec.completionMode !== 'Indexed') return [];
  const count = (text: string | undefined) =>
    countIndexes(parseIndexes(text, spec.completions ?? 0));
  const more = (field: 'completedIndexes' | 'failedIndexes') =>
    count(after[field]) - count(before?.[field]);
  return [
    ['succeeded', more('completedIndexes')],
    ['failed', more('failedIndexes')],
  ];
}

const backoffLimitOf = ({ spec }: Job) =>
  spec.backoffLimitPerIndex === undefined ? 'global' : 'perIndex';

function reasonOf({ job, failed, terminating }: JobObservation): string {
  if (job.spec.podReplacementPolicy === 'Failed' && failed > 0) return 'recreate_failed';
  return failed > 0 || terminating > 0 ? 'recreate_terminating_or_failed' : 'new';
}
