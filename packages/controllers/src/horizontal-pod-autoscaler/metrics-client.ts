// Reads measurements from whoever serves them: metrics.k8s.io for resources, custom.metrics.k8s.io
// for pods and objects, external.metrics.k8s.io for the world. All are APIs of extension servers.

import {
  compileLabelSelector,
  parseQuantity,
  quantityMilliValue,
  type KubeObject,
} from '@keelson/apimachinery';
import type {
  CrossVersionObjectReference,
  MetricIdentifier,
} from '@keelson/apimachinery/types/autoscaling.v2';
import type { Client } from '@keelson/client';
import { errorText } from '../machinery/controller.ts';
import type { ResourceMapping } from '../machinery/resource-mapping.ts';
import { milli } from './pod-requests.ts';
import { requestErrorText } from './request-error.ts';
import { MetricError, type Sample, type Samples } from './replica-calculator.ts';

export interface MetricsClient {
  /** Of all containers of each pod, or of one. Pods whose sample lacks one are left out. */
  resource(query: ResourceQuery, signal: AbortSignal): Promise<Samples>;
  pods(query: PodsQuery, signal: AbortSignal): Promise<Samples>;
  object(query: ObjectQuery, signal: AbortSignal): Promise<number>;
  /** All values added up. */
  external(query: MetricQuery, signal: AbortSignal): Promise<number>;
}
interface MetricQuery {
  readonly namespace: string;
  readonly metric: MetricIdentifier;
}
interface ResourceQuery {
  readonly namespace: string;
  readonly resource: string;
  readonly container?: string | undefined;
  readonly selector: string;
}
interface PodsQuery extends MetricQuery {
  readonly selector: string;
}
interface ObjectQuery extends MetricQuery {
  readonly object: CrossVersionObjectReference;
}

interface PodMetricsObject extends KubeObject {
  timestamp?: string;
  window?: string;
  containers?: { name?: string; usage?: Record<string, string> }[];
}
interface ExternalMetric extends KubeObject {
  value?: string;
}
interface MetricValue {
  describedObject?: { name?: string };
  value?: string;
  timestamp?: string;
  windowSeconds?: number;
}

/** Of kubelets, where a sample does not say. */
const defaultWindowMs = 60_000;
const customGroup = 'custom.metrics.k8s.io';

export function createMetricsClient(client: Client, mapping: ResourceMapping): MetricsClient {
  const customValues = async (
    path: (version: string) => Promise<string>,
    query: readonly (readonly [string, string])[],
    signal: AbortSignal,
  ): Promise<readonly MetricValue[]> => {
    try {
      const version = await customVersion(client, signal);
      const body = await client.send({ method: 'GET', path: await path(version), query, signal });
      const list = JSON.parse(Buffer.from(body).toString()) as { items?: MetricValue[] };
      return list.items ?? [];
    } catch (error) {
      throw unreachable('custom', error, signal);
    }
  };
  return {
    resource: (query, signal) => resourceSamples(client, query, signal),
    async pods({ namespace, metric, selector }, signal) {
      const values = await customValues(
        async (version) =>
          `/apis/${customGroup}/${version}/namespaces/${namespace}/pods/*/${metric.name}`,
        [['labelSelector', selector], ...metricSelector(metric)],
        signal,
      );
      if (values.length === 0) throw none('custom');
      return new Map(values.map((value) => [value.describedObject?.name ?? '', toSample(value)]));
    },
    async object({ namespace, metric, object }, signal) {
      const { apiVersion = 'v1', kind, name } = object;
      const [value] = await customValues(
        async (version) => {
          const { group, resource, namespaced } = await mapping.resourceOf(
            { apiVersion, kind },
            signal,
          );
          const root = `/apis/${customGroup}/${version}`;
          const full = group === '' ? resource : `${resource}.${group}`;
          const at = namespaced ? `${root}/namespaces/${namespace}` : root;
          return `${at}/${full}/${name}/${metric.name}`;
        },
        metricSelector(metric),
        signal,
      );
      if (value === undefined) throw none('custom');
      return milli(value.value ?? '0');
    },
    external: (query, signal) => externalSum(client, query, signal),
  };
}

async function resourceSamples(
  client: Client,
  { namespace, resource, container, selector }: ResourceQuery,
  signal: AbortSignal,
): Promise<Samples> {
  const list = await client
    .resource<PodMetricsObject>({
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      resource: 'pods',
    })
    .namespace(namespace)
    .list({ labelSelector: selector, signal })
    .catch((error) => {
      throw unreachable('resource', error, signal, 'pods.metrics.k8s.io');
    });
  const samples = list.items.flatMap((item) => {
    const sample = podSample(item, resource, container);
    return sample === undefined ? [] : [[item.metadata.name ?? '', sample] as const];
  });
  if (list.items.length === 0) throw none('resource');
  return new Map(samples);
}

async function externalSum(
  client: Client,
  { namespace, metric }: MetricQuery,
  signal: AbortSignal,
): Promise<number> {
  const group = 'external.metrics.k8s.io';
  const [selector] = metricSelector(metric);
  const list = await client
    .resource<ExternalMetric>({ group, version: 'v1beta1', resource: metric.name })
    .namespace(namespace)
    .list({ ...(selector && { labelSelector: selector[1] }), signal })
    .catch((error) => {
      throw unreachable('external', error, signal, `${metric.name}.${group}`);
    });
  if (list.items.length === 0) throw none('external');
  const sum = list.items.reduce(
    (total, { value = '0' }) => total + quantityMilliValue(parseQuantity(value)),
    0n,
  );
  const most = 2n ** 63n - 1n;
  return Number(sum > most ? most : sum);
}

async function customVersion(client: Client, signal: AbortSignal): Promise<string> {
  const { resources } = await client.discovery.fetch(signal);
  const found = resources.find(({ group }) => group === customGroup);
  if (found === undefined)
    throw new MetricError(`no custom metrics API (${customGroup}) registered`);
  return found.version;
}

function metricSelector({ selector }: MetricIdentifier): (readonly [string, string])[] {
  return selector === undefined
    ? []
    : [['metricLabelSelector', compileLabelSelector(selector).toString()]];
}

function none(api: string): MetricError {
  return new MetricError(`no metrics returned from ${api} metrics API`);
}

function unreachable(api: string, error: unknown, signal: AbortSignal, resource?: string): unknown {
  if (signal.aborted) return error;
  const text = resource === undefined ? errorText(error) : requestErrorText(error, resource);
  return new MetricError(`unable to fetch metrics from ${api} metrics API: ${text}`);
}

function podSample(
  { timestamp, window, containers = [] }: PodMetricsObject,
  resource: string,
  container: string | undefined,
): Sample | undefined {
  const counted = containers.filter(({ name }) => container === undefined || name === container);
  if (counted.length === 0) return undefined;
  let value = 0;
  for (const { usage = {} } of counted) {
    const used = usage[resource];
    if (used === undefined) return undefined;
    value += milli(used);
  }
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(window ?? '')?.[1];
  const windowMs = seconds === undefined ? defaultWindowMs : Number(seconds) * 1000;
  return { value, at: Date.parse(timestamp ?? '') || 0, windowMs };
}

function toSample({ value = '0', timestamp = '', windowSeconds }: MetricValue): Sample {
  const windowMs = windowSeconds === undefined ? defaultWindowMs : windowSeconds * 1000;
  return { value: milli(value), at: Date.parse(timestamp) || 0, windowMs };
}
