// Metrics in the shape of autoscaling/v1, which has no field for them: they travel in annotations,
// so that an object survives being read and written as v1. See `conversion.ts`.

import type { LabelSelector } from '@keelson/apimachinery/types/meta.v1';
import type {
  CrossVersionObjectReference,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from '@keelson/apimachinery/types/autoscaling.v2';

interface V1ResourceMetric {
  readonly name: string;
  readonly container?: string;
  readonly targetAverageUtilization?: number;
  readonly targetAverageValue?: string;
}
export interface V1MetricSpec {
  readonly type: string;
  readonly object?: {
    readonly target: CrossVersionObjectReference;
    readonly metricName: string;
    readonly targetValue?: string;
    readonly selector?: LabelSelector;
    readonly averageValue?: string;
  };
  readonly pods?: {
    readonly metricName: string;
    readonly targetAverageValue: string;
    readonly selector?: LabelSelector;
  };
  readonly resource?: V1ResourceMetric;
  readonly containerResource?: V1ResourceMetric;
  readonly external?: {
    readonly metricName: string;
    readonly metricSelector?: LabelSelector;
    readonly targetValue?: string;
    readonly targetAverageValue?: string;
  };
}

interface V1ResourceStatus {
  readonly name: string;
  readonly container?: string;
  readonly currentAverageUtilization?: number;
  readonly currentAverageValue?: string;
}
export interface V1MetricStatus {
  readonly type: string;
  readonly object?: {
    readonly target: CrossVersionObjectReference;
    readonly metricName: string;
    readonly currentValue?: string;
    readonly selector?: LabelSelector;
    readonly averageValue?: string;
  };
  readonly pods?: {
    readonly metricName: string;
    readonly currentAverageValue?: string;
    readonly selector?: LabelSelector;
  };
  readonly resource?: V1ResourceStatus;
  readonly containerResource?: V1ResourceStatus;
  readonly external?: {
    readonly metricName: string;
    readonly metricSelector?: LabelSelector;
    readonly currentValue?: string;
    readonly currentAverageValue?: string;
  };
}

type Plain = Record<string, unknown>;

/** Without the fields that are absent. */
export function present<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

const identifier = (name: string, selector: LabelSelector | undefined): MetricIdentifier =>
  present({ name, selector });

/**
 * Fields in the order in which Go writes them; absent quantities that v1 cannot leave out are zero.
 */
export function toV1Metric(metric: MetricSpec): V1MetricSpec {
  const { object, pods, resource, containerResource, external } = metric;
  const out: Plain = { type: metric.type };
  if (object) {
    out['object'] = present({
      target: object.describedObject,
      metricName: object.metric.name,
      targetValue: object.target.value ?? '0',
      selector: object.metric.selector,
      averageValue: object.target.averageValue,
    });
  }
  if (pods) {
    out['pods'] = present({
      metricName: pods.metric.name,
      targetAverageValue: pods.target.averageValue ?? '0',
      selector: pods.metric.selector,
    });
  }
  if (resource) out['resource'] = toV1Resource(resource);
  if (containerResource) {
    const { container } = containerResource;
    out['containerResource'] = { ...toV1Resource(containerResource), container };
  }
  if (external) {
    out['external'] = present({
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      targetValue: external.target.value,
      targetAverageValue: external.target.averageValue,
    });
  }
  return out as unknown as V1MetricSpec;
}

function toV1Resource(source: {
  readonly name: string;
  readonly target: MetricTarget;
}): V1ResourceMetric {
  return present({
    name: source.name,
    targetAverageUtilization: source.target.averageUtilization,
    targetAverageValue: source.target.averageValue,
  });
}

export function fromV1Metric(metric: V1MetricSpec): MetricSpec {
  const { object, pods, resource, containerResource, external } = metric;
  const out: MetricSpec = { type: metric.type };
  if (object) {
    const { targetValue: value, averageValue } = object;
    const type = averageValue === undefined ? 'Value' : 'AverageValue';
    out.object = {
      describedObject: object.target,
      target: present({ type, value, averageValue }),
      metric: identifier(object.metricName, object.selector),
    };
  }
  if (pods) {
    out.pods = {
      metric: identifier(pods.metricName, pods.selector),
      target: { type: 'AverageValue', averageValue: pods.targetAverageValue },
    };
  }
  if (resource) out.resource = { name: resource.name, target: resourceTarget(resource) };
  if (containerResource) {
    const { name, container = '' } = containerResource;
    out.containerResource = { name, container, target: resourceTarget(containerResource) };
  }
  if (external) {
    const { targetValue: value, targetAverageValue: averageValue } = external;
    const type = value === undefined ? 'AverageValue' : 'Value';
    out.external = {
      metric: identifier(external.metricName, external.metricSelector),
      target: present({ type, value, averageValue }),
    };
  }
  return out;
}

function resourceTarget(source: V1ResourceMetric): MetricTarget {
  const { targetAverageUtilization: averageUtilization, targetAverageValue: averageValue } = source;
  const type = averageUtilization === undefined ? 'AverageValue' : 'Utilization';
  return present({ type, averageValue, averageUtilization });
}

export function toV1Status(status: MetricStatus): V1MetricStatus {
  const { object, pods, resource, containerResource, external } = status;
  const out: Plain = { type: status.type };
  if (object) {
    out['object'] = present({
      target: object.describedObject,
      metricName: object.metric.name,
      currentValue: object.current.value ?? '0',
      selector: object.metric.selector,
      averageValue: object.current.averageValue,
    });
  }
  if (pods) {
    out['pods'] = present({
      metricName: pods.metric.name,
      currentAverageValue: pods.current.averageValue ?? '0',
      selector: pods.metric.selector,
    });
  }
  const usage = ({ name, current }: NonNullable<MetricStatus['resource']>) =>
    present({
      name,
      currentAverageUtilization: current.averageUtilization,
      currentAverageValue: current.averageValue ?? '0',
    });
  if (resource) out['resource'] = usage(resource);
  if (containerResource) {
    const { container } = containerResource;
    out['containerResource'] = { ...usage(containerResource), container };
  }
  if (external) {
    out['external'] = present({
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      currentValue: external.current.value ?? '0',
      currentAverageValue: external.current.averageValue,
    });
  }
  return out as unknown as V1MetricStatus;
}

export function fromV1Status(status: V1MetricStatus): MetricStatus {
  const { object, pods, resource, containerResource, external } = status;
  const out: MetricStatus = { type: status.type };
  if (object) {
    out.object = {
      metric: identifier(object.metricName, object.selector),
      current: present({ value: object.currentValue, averageValue: object.averageValue }),
      describedObject: object.target,
    };
  }
  if (pods) {
    out.pods = {
      metric: identifier(pods.metricName, pods.selector),
      current: present({ averageValue: pods.currentAverageValue }),
    };
  }
  const current = (source: V1ResourceStatus) =>
    present({
      averageValue: source.currentAverageValue,
      averageUtilization: source.currentAverageUtilization,
    });
  if (resource) out.resource = { name: resource.name, current: current(resource) };
  if (containerResource) {
    const { name, container = '' } = containerResource;
    out.containerResource = { name, container, current: current(containerResource) };
  }
  if (external) {
    out.external = {
      metric: identifier(external.metricName, external.metricSelector),
      current: present({
        value: external.currentValue,
        averageValue: external.currentAverageValue,
      }),
    };
  }
  return out;
}
