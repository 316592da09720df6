// Deletes requests of pods for certificates (KEP-4317) a quarter of an hour after they were made,
// whatever became of them: kubelets take what they asked for within minutes, and ask anew. It looks
// every five minutes.

import type { PodCertificateRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1beta1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { createRequestCleaner } from './request-cleaner.ts';

export interface PodCertificateRequestCleanerOptions {
  /** In which requests are served. */
  readonly version: string;
}

const minuteMs = 60_000;
const lifeMs = 15 * minuteMs;
const periodMs = 5 * minuteMs;

export function createPodCertificateRequestCleanerController(
  context: ControllerContext,
  { version }: PodCertificateRequestCleanerOptions,
): Controller {
  return createRequestCleaner<PodCertificateRequest>(context, {
    resource: { group: 'certificates.k8s.io', version, resource: 'podcertificaterequests' },
    periodMs,
    isOver: ({ metadata: { creationTimestamp } }, nowMs) =>
      Date.parse(creationTimestamp ?? '') + lifeMs <= nowMs,
  });
}
