// PodGroups: pods that are scheduled together (KEP-4671). What was asked for never changes.

import type {
  PodGroup,
  PodGroupSpec,
} from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { Features } from '../../../features/features.ts';
import { age, noneText } from '../../printing/cells.ts';
import { keepMetadata } from '../../status-metadata.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { conforms, immutable, required, type Errors } from '../../validation/checks.ts';
import { conditions } from '../../validation/conditions.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';
import {
  dropDisabledFields,
  exactlyOne,
  gatedFields,
  schedulingPolicy,
  uniqueNames,
  type GatedFields,
} from '../pod-group-policy.ts';

const claimStatusesMax = 4;

const status: SubresourceStrategy<PodGroup> = {
  prepareForUpdate(group, old, { features }) {
    group.spec = old.spec;
    keepMetadata(group, old);
    const isKept = old.status?.resourceClaimStatuses !== undefined;
    if (!features.enabled('DRAWorkloadResourceClaims') && !isKept)
      delete group.status?.resourceClaimStatuses;
  },
  validateUpdate: validateStatus,
  resetFields: [['metadata'], ['spec']],
};

export const podGroupStrategy: Strategy<PodGroup> = {
  applyDefaults({ spec }, features) {
    if (features.enabled('WorkloadAwarePreemption')) spec.disruptionMode ??= 'Pod';
  },
  prepareForCreate(group, { features }) {
    group.status = {};
    dropDisabled(group.spec, undefined, features);
  },
  prepareForUpdate(group, old, { features }) {
    if (old.status !== undefined) group.status = old.status;
    dropDisabled(group.spec, old.spec, features);
  },
  validate: ({ spec }) => validateSpec(spec, undefined),
  validateUpdate: ({ spec }, old) => validateSpec(spec, old.spec),
  allowUnconditionalUpdate: true,
  tableCells: (group, nowMs) => [
    group.metadata.name ?? '',
    group.spec.schedulingPolicy?.gang ? 'Gang' : 'Basic',
    group.spec.podGroupTemplateRef?.workload?.workloadName ?? noneText,
    statusText(group),
    age(group, nowMs),
  ],
  resetFields: [['status']],
  subresources: { status },
};

function dropDisabled(spec: PodGroupSpec, old: PodGroupSpec | undefined, features: Features) {
  dropDisabledFields(spec as GatedFields, old as GatedFields | undefined, features);
}

const fixed = [
  'podGroupTemplateRef',
  'schedulingPolicy',
  'schedulingConstraints',
  'resourceClaims',
  'disruptionMode',
  'priorityClassName',
  'priority',
] as const;

function validateSpec(spec: PodGroupSpec, old: PodGroupSpec | undefined): FieldError[] {
  const errors: Errors = [];
  if (old !== undefined) {
    for (const field of fixed) immutable(errors, `spec.${field}`, [spec[field], old[field]]);
    return errors;
  }
  const { podGroupTemplateRef } = spec;
  if (podGroupTemplateRef) {
    exactlyOne(errors, 'spec.podGroupTemplateRef', podGroupTemplateRef, ['workload']);
    const { workload } = podGroupTemplateRef;
    const at = 'spec.podGroupTemplateRef.workload';
    if (workload && required(errors, `${at}.workloadName`, workload.workloadName))
      conforms(errors, `${at}.workloadName`, workload.workloadName, dns1123Subdomain);
    if (workload && required(errors, `${at}.podGroupTemplateName`, workload.podGroupTemplateName))
      conforms(errors, `${at}.podGroupTemplateName`, workload.podGroupTemplateName, dns1123Label);
  }
  schedulingPolicy(errors, 'spec.schedulingPolicy', spec.schedulingPolicy);
  gatedFields(errors, 'spec', spec, undefined);
  return errors;
}

function validateStatus({ spec, status: now }: PodGroup, old: PodGroup): FieldError[] {
  const errors: Errors = [];
  conditions(errors, 'status.conditions', now?.conditions);
  const path = 'status.resourceClaimStatuses';
  const statuses = now?.resourceClaimStatuses ?? [];
  statuses.forEach(({ name }, i) => {
    if (spec.resourceClaims?.some((claim) => claim.name === name)) return;
    const why = 'must match the name of an entry in `spec.resourceClaims`';
    errors.push(fieldError.invalid(`${path}[${i}].name`, name, why));
  });
  if (isSemanticallyEqual(statuses, old.status?.resourceClaimStatuses)) return errors;
  if (statuses.length > claimStatusesMax) {
    errors.push(fieldError.tooMany(path, statuses.length, claimStatusesMax));
    return errors;
  }
  uniqueNames(errors, path, statuses);
  statuses.forEach(({ resourceClaimName }, i) => {
    if (resourceClaimName !== undefined)
      conforms(errors, `${path}[${i}].resourceClaimName`, resourceClaimName, dns1123Subdomain);
  });
  return errors;
}

function statusText({ status: now }: PodGroup): string {
  const find = (type: string) => now?.conditions?.findLast((c) => c.type === type);
  const disrupted = find('DisruptionTarget');
  if (disrupted) return disrupted.reason;
  const scheduled = find('PodGroupScheduled');
  if (!scheduled) return 'Pending';
  return scheduled.status === 'True' ? 'Scheduled' : 'Unschedulable';
}
