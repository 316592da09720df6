// Pods with a Job's finalizer that no Job counts any more: their Job is gone or has ended, or they
// were let go. Without this they could never be deleted.

import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import {
  keyOf,
  parseKey,
  type Controller,
  type ControllerContext,
} from '../machinery/controller.ts';
import { controllerOf, dependentsOf, orphansIn, ownersConcerned } from '../machinery/ownership.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { isFinished } from './conditions.ts';
import { isManagedElsewhere, jobSelectorOf } from './job-kind.ts';
import { hasTrackingFinalizer } from './job-pods.ts';
import type { PodReleases } from './release-pods.ts';

const workers = 1;

export interface OrphanPodsOptions {
  readonly jobs: Informer<Job>;
  readonly pods: Informer<Pod>;
  readonly releases: PodReleases;
}

export function createOrphanPods(
  context: ControllerContext,
  { jobs, pods, releases }: OrphanPodsOptions,
): Controller {
  const isOrphan = (pod: Pod) => hasTrackingFinalizer(pod) && !isCounted(jobs, pod);
  return createReconciler(context, {
    failure: 'finalizer of a pod without Job not removed',
    queue: 'job_orphan_pod',
    workers,
    reads: [jobs, pods],
    subscribe: (queue) => {
      const look = (pod: Pod) => {
        if (isOrphan(pod)) queue.add(keyOf(pod));
      };
      const lookAtPodsOf = (job: Job) =>
        [...dependentsOf(pods, job), ...orphansIn(pods, job.metadata.namespace ?? '')].forEach(
          look,
        );
      return [
        pods.addHandler({ onAdd: look, onUpdate: look }),
        jobs.addHandler({
          onUpdate: (job) => {
            if (isFinished(job)) lookAtPodsOf(job);
          },
          onDelete: lookAtPodsOf,
        }),
      ];
    },
    reconcile: async (key, signal) => {
      const { namespace, name } = parseKey(key);
      const pod = pods.store.get(namespace, name);
      if (pod !== undefined && isOrphan(pod)) await releases.release(pod, signal);
    },
  });
}

/** Some Job counts the pod, or will adopt it, or it is none of our business. */
function isCounted(jobs: Informer<Job>, pod: Pod): boolean {
  const controller = controllerOf(pod);
  if (controller !== undefined && controller.kind !== 'Job') return true;
  return ownersConcerned(jobs, pod, jobSelectorOf).some((job) => {
    // A Job that is being deleted takes in nothing any more.
    const mayAdopt = controller !== undefined || job.metadata.deletionTimestamp === undefined;
    return mayAdopt && (isManagedElsewhere(job.spec) || !isFinished(job));
  });
}
