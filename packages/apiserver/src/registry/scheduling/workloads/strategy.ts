// Workloads: templates of the pod groups that a controller will make (KEP-4671).

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  TypedLocalObjectReference,
  Workload,
  WorkloadSpec,
} from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import type { Features } from '../../../features/features.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { conforms, immutable, required, type Errors } from '../../validation/checks.ts';
import { dns1123Label, dns1123Subdomain, pathSegmentName } from '../../validation/names.ts';
import {
  dropDisabledFields,
  gatedFields,
  schedulingPolicy,
  uniqueNames,
  type GatedFields,
} from '../pod-group-policy.ts';

const templatesMax = 8;

export const workloadStrategy: Strategy<Workload> = {
  prepareForCreate({ spec }, { features }) {
    dropDisabled(spec, undefined, features);
  },
  prepareForUpdate({ spec }, old, { features }) {
    dropDisabled(spec, old.spec, features);
  },
  validate: ({ spec }) => validateSpec(spec),
  validateUpdate: ({ spec }, old) => validateSpecUpdate(spec, old.spec),
  allowUnconditionalUpdate: true,
  tableCells: (workload, nowMs) => [workload.metadata.name ?? '', age(workload, nowMs)],
};

function dropDisabled(spec: WorkloadSpec, old: WorkloadSpec | undefined, features: Features): void {
  (spec.podGroupTemplates ?? []).forEach((template, i) => {
    const before = old?.podGroupTemplates?.[i] as GatedFields | undefined;
    dropDisabledFields(template as GatedFields, before, features);
    // COMPAT: written also when there are none.
    template.schedulingConstraints ??= null;
  });
}

function validateSpec(spec: WorkloadSpec): FieldError[] {
  const errors: Errors = [];
  if (spec.controllerRef) controllerRef(errors, 'spec.controllerRef', spec.controllerRef);
  const path = 'spec.podGroupTemplates';
  const templates = spec.podGroupTemplates ?? [];
  if (!required(errors, path, templates)) return errors;
  if (templates.length > templatesMax) {
    errors.push(fieldError.tooMany(path, templates.length, templatesMax));
    return errors;
  }
  uniqueNames(errors, path, templates);
  templates.forEach((template, i) => {
    const at = `${path}[${i}]`;
    if (required(errors, `${at}.name`, template.name))
      conforms(errors, `${at}.name`, template.name, dns1123Label);
    schedulingPolicy(errors, `${at}.schedulingPolicy`, template.schedulingPolicy);
    gatedFields(errors, at, template, undefined);
  });
  return errors;
}

function validateSpecUpdate(spec: WorkloadSpec, old: WorkloadSpec): FieldError[] {
  const errors: Errors = [];
  for (const field of ['controllerRef', 'podGroupTemplates'] as const)
    immutable(errors, `spec.${field}`, [spec[field], old[field]]);
  return errors;
}

function controllerRef(errors: Errors, path: string, ref: TypedLocalObjectReference): void {
  if (ref.apiGroup) conforms(errors, `${path}.apiGroup`, ref.apiGroup, dns1123Subdomain);
  for (const field of ['kind', 'name'] as const) {
    if (!required(errors, `${path}.${field}`, ref[field])) continue;
    conforms(errors, `${path}.${field}`, ref[field], (text) => pathSegmentName(text, false));
  }
}
