// Jobs as owners of pods.

import { compileLabelSelector, type LabelMatcher } from '@keelson/apimachinery';
import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { OwnerKind } from '../machinery/ownership.ts';
import { jobsResource } from '../machinery/resources.ts';

export const jobKind: OwnerKind = { apiVersion: 'batch/v1', kind: 'Job', resource: jobsResource };
export const jobComponent = 'job-controller';

const ownController = 'kubernetes.io/job-controller';

/** Whoever `spec.managedBy` names looks after the Job; nobody else may touch it (KEP-4368). */
export function isManagedElsewhere(spec: { readonly managedBy?: string | undefined }): boolean {
  return spec.managedBy !== undefined && spec.managedBy !== ownController;
}

/** Throws SelectorError. Nothing matches a Job without selector, which the API makes of none. */
export function jobSelectorOf({ spec }: Job): LabelMatcher {
  return compileLabelSelector(spec.selector);
}
