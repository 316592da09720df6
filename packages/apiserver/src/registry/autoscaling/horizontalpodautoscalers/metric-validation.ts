// Validation of the metrics of a HorizontalPodAutoscaler: one source each, and targets that fit it.

import { fieldError, parseQuantity, signOf, type FieldError } from '@keelson/apimachinery';
import type {
  HorizontalPodAutoscalerSpec,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '@keelson/apimachinery/types/autoscaling.v2';
import { conforms, oneOf, required } from '../../validation/checks.ts';
import { dns1123Label, pathSegmentName } from '../../validation/names.ts';
import { containerResourceName } from '../../validation/resource-names.ts';
import { checkReference } from './validation.ts';

const sourceTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const targetTypes = ['Utilization', 'Value', 'AverageValue'];

const eitherTarget = 'must set either a target value for metric or a per-pod target';

type SourceField = 'object' | 'external' | 'pods' | 'resource' | 'containerResource';

const fieldOfType: Readonly<Record<string, SourceField>> = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  External: 'external',
  ContainerResource: 'containerResource',
};
const sourceFields: readonly SourceField[] = [
  'object',
  'external',
  'pods',
  'resource',
  'containerResource',
];

export function validateMetrics(
  errors: FieldError[],
  { metrics = [], minReplicas }: HorizontalPodAutoscalerSpec,
  old: HorizontalPodAutoscalerSpec | undefined,
): void {
  metrics.forEach((metric, i) => {
    checkMetric(errors, `spec.metrics[${i}]`, [metric, old?.metrics?.[i]]);
  });
  if (minReplicas !== 0) return;
  if (metrics.some(({ type }) => type === 'Object' || type === 'External')) return;
  const why =
    'must specify at least one Object or External metric to support scaling to zero replicas';
  errors.push(fieldError.forbidden('spec.metrics', why));
}

function checkMetric(
  errors: FieldError[],
  path: string,
  [metric, old]: readonly [MetricSpec, MetricSpec | undefined],
): void {
  required(errors, `${path}.type`, metric.type, 'must specify a metric source type');
  oneOf(errors, `${path}.type`, metric.type, sourceTypes);
  const present = sourceFields.filter((field) => metric[field] !== undefined);
  if (present[0]) checkSource(errors, path, [metric, old], present[0]);
  const expected = fieldOfType[metric.type];
  if (expected && metric[expected] === undefined) {
    const why = 'must populate information for the given metric source';
    errors.push(fieldError.required(`${path}.${expected}`, why));
  }
  // COMPAT: an unknown type is found twice.
  if (!expected) oneOf(errors, `${path}.type`, metric.type, sourceTypes);
  if (present.length === 1) return;
  for (const field of present) {
    if (field === expected) continue;
    const why = 'must populate the given metric source only';
    errors.push(fieldError.forbidden(`${path}.${field}`, why));
  }
}

function checkSource(
  errors: FieldError[],
  metricPath: string,
  [metric, old]: readonly [MetricSpec, MetricSpec | undefined],
  field: SourceField,
): void {
  const path = `${metricPath}.${field}`;
  const target = metric[field]?.target ?? { type: '' };
  const at = `${path}.target`;
  switch (field) {
    case 'object':
      if (!metric.object) return;
      checkReference(errors, `${path}.describedObject`, metric.object.describedObject, {
        needsGroup: false,
        old: old?.object?.describedObject,
      });
      checkIdentifier(errors, `${path}.metric`, metric.object.metric);
      checkTarget(errors, at, target);
      needValue(errors, at, target, 'must set either a target value or averageValue');
      break;
    case 'external':
      checkIdentifier(errors, `${path}.metric`, metric.external?.metric);
      checkTarget(errors, at, target);
      needValue(errors, at, target, eitherTarget);
      if (target.value !== undefined && target.averageValue !== undefined) {
        const why = 'may not set both a target value for metric and a per-pod target';
        errors.push(fieldError.forbidden(`${at}.value`, why));
      }
      break;
    case 'pods':
      checkIdentifier(errors, `${path}.metric`, metric.pods?.metric);
      checkTarget(errors, at, target);
      if (target.averageValue === undefined) {
        const why = 'must specify a positive target averageValue';
        errors.push(fieldError.required(`${at}.averageValue`, why));
      }
      break;
    default:
      checkResource(errors, path, metric, field);
  }
}

function checkResource(
  errors: FieldError[],
  path: string,
  metric: MetricSpec,
  field: 'resource' | 'containerResource',
): void {
  const source = metric[field];
  if (!source) return;
  const isNamed = required(errors, `${path}.name`, source.name, 'must specify a resource name');
  if (field === 'containerResource') {
    if (isNamed) containerResourceName(errors, `${path}.name`, source.name);
    const { container = '' } = metric.containerResource ?? {};
    if (required(errors, `${path}.container`, container, 'must specify a container')) {
      conforms(errors, `${path}.container`, container, dns1123Label);
    }
  }
  const { target } = source;
  checkTarget(errors, `${path}.target`, target);
  const hasUtilization = target.averageUtilization !== undefined;
  const hasValue = target.averageValue !== undefined;
  if (!hasUtilization && !hasValue) {
    const why = 'must set either a target raw value or a target utilization';
    errors.push(fieldError.required(`${path}.target.averageUtilization`, why));
  } else if (hasUtilization && hasValue) {
    const why = 'may not set both a target raw value and a target utilization';
    errors.push(fieldError.forbidden(`${path}.target.averageValue`, why));
  }
}

function needValue(errors: FieldError[], path: string, target: MetricTarget, why: string): void {
  if (target.value !== undefined || target.averageValue !== undefined) return;
  errors.push(fieldError.required(`${path}.averageValue`, why));
}

function checkTarget(errors: FieldError[], path: string, target: MetricTarget): void {
  required(errors, `${path}.type`, target.type, 'must specify a metric target type');
  if (!targetTypes.includes(target.type)) {
    const why = 'must be either Utilization, Value, or AverageValue';
    errors.push(fieldError.invalid(`${path}.type`, target.type, why));
  }
  for (const field of ['value', 'averageValue'] as const) {
    const text = target[field];
    if (text === undefined || isPositive(text)) continue;
    errors.push(fieldError.invalid(`${path}.${field}`, text, 'must be positive'));
  }
  const utilization = target.averageUtilization;
  if (utilization === undefined || utilization >= 1) return;
  const why = 'must be greater than 0';
  errors.push(fieldError.invalid(`${path}.averageUtilization`, utilization, why));
}

const isPositive = (text: string) => signOf(parseQuantity(text)) > 0;

function checkIdentifier(
  errors: FieldError[],
  path: string,
  identifier: MetricIdentifier | undefined,
): void {
  const name = identifier?.name ?? '';
  if (!required(errors, `${path}.name`, name, 'must specify a metric name')) return;
  conforms(errors, `${path}.name`, name, (text) => pathSegmentName(text, false));
}
