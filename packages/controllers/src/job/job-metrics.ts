// What kube-controller-manager measures of Jobs: syncs, and what ended how.

import type { Job, JobStatus } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { durationBuckets, type ControllerMetrics } from '../machinery/controller-metrics.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { trackingFinalizer } from './job-pods.ts';
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
  /** A pod as it was and as it is; undefined when it was not there, or is gone. */
  seen(before: Pod | undefined, after: Pod | undefined): void;
}

export function createJobMetrics(metrics: ControllerMetrics): JobMetrics {
  const counter = (name: string, help: string) => metrics.counter(`job_controller_${name}`, help);
  const syncSeconds = metrics.histogram(
    'job_controller_job_sync_duration_seconds',
    '[STABLE] The time it took to sync a job',
    durationBuckets,
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
    },
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
