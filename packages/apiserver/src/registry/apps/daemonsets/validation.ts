// What a DaemonSet may ask for: the template must be selected, and an update either takes a pod
// away first or adds one first, never both.

import { fieldError } from '@keelson/apimachinery';
import type { DaemonSet, DaemonSetUpdateStrategy } from '@keelson/apimachinery/types/apps.v1';
import type { Features } from '../../../features/features.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { immutable, nonNegative, type Errors } from '../../validation/checks.ts';
import {
  atMost100Percent,
  isZeroOrZeroPercent,
  nonNegativeIntOrPercent,
} from '../../validation/int-or-percent.ts';
import { isEmptySelector, labelSelector } from '../../validation/labels.ts';
import { podTemplate } from '../../core/pod-spec/template.ts';
import { collisionCountGrows, nonNegativeCounters } from '../../core/pod-spec/workload-status.ts';
import {
  alwaysRestarted,
  compileSelector,
  selectorMatchesTemplate,
  templateOptions,
} from '../../core/pod-spec/workload.ts';

export function validateDaemonSet(
  { spec }: DaemonSet,
  features: Features,
  old?: DaemonSet,
): Errors {
  const errors: Errors = [];
  if (old) immutable(errors, 'spec.selector', [spec.selector, old.spec.selector]);
  labelSelector(errors, 'spec.selector', spec.selector);
  const selector = compileSelector(spec.selector);
  if (selector) selectorMatchesTemplate(errors, 'spec.template', spec.template, selector);
  if (spec.selector && isEmptySelector(spec.selector)) {
    const why = 'empty selector is invalid for daemonset';
    errors.push(fieldError.invalid('spec.selector', spec.selector, why));
  }
  const options = templateOptions(features, old?.spec.template);
  podTemplate(errors, 'spec.template', spec.template, options);
  alwaysRestarted(errors, 'spec.template', spec.template.spec, 'DaemonSet');
  nonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  updateStrategy(errors, 'spec.updateStrategy', spec.updateStrategy ?? {});
  nonNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  return errors;
}

function updateStrategy(errors: Errors, path: string, value: DaemonSetUpdateStrategy): void {
  switch (value.type) {
    case 'OnDelete':
      return;
    case 'RollingUpdate':
      if (value.rollingUpdate) rolling(errors, `${path}.rollingUpdate`, value.rollingUpdate);
      else errors.push(fieldError.required(`${path}.rollingUpdate`));
      return;
    default: {
      const shown = internalValue('io.k8s.api.apps.v1.DaemonSetUpdateStrategy', value);
      errors.push(fieldError.notSupported(path, shown, ['RollingUpdate', 'OnDelete']));
    }
  }
}

function rolling(
  errors: Errors,
  path: string,
  { maxUnavailable = 0, maxSurge = 0 }: NonNullable<DaemonSetUpdateStrategy['rollingUpdate']>,
): void {
  const [unavailable, surge] = [`${path}.maxUnavailable`, `${path}.maxSurge`];
  nonNegativeIntOrPercent(errors, unavailable, maxUnavailable);
  nonNegativeIntOrPercent(errors, surge, maxSurge);
  atMost100Percent(errors, unavailable, maxUnavailable);
  atMost100Percent(errors, surge, maxSurge);
  const takes = !isZeroOrZeroPercent(maxUnavailable);
  const adds = !isZeroOrZeroPercent(maxSurge);
  if (takes && adds) {
    const why = 'may not be set when maxUnavailable is non-zero';
    errors.push(fieldError.invalid(surge, maxSurge, why));
  }
  if (!takes && !adds) {
    errors.push(fieldError.required(unavailable, 'cannot be 0 when maxSurge is 0'));
  }
}

const counters = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const;

export function validateDaemonSetStatus({ status }: DaemonSet, old: DaemonSet): Errors {
  const errors: Errors = [];
  if (status) nonNegativeCounters(errors, status, counters);
  collisionCountGrows(errors, status?.collisionCount, old.status?.collisionCount);
  return errors;
}
