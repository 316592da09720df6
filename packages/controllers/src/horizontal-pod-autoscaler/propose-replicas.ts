// What one metric asks for: how many replicas, what the status shows, and what it is called when it
// is the reason of a change; or why nothing can be said.

import { createQuantity, formatGoLabelSelector, formatQuantity } from '@keelson/apimachinery';
import type {
  ExternalMetricSource,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  ObjectMetricSource,
} from '@keelson/apimachinery/types/autoscaling.v2';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { errorText } from '../machinery/controller.ts';
import { isPodReady } from '../pods/pod-state.ts';
import type { MetricsClient } from './metrics-client.ts';
import { milli, podRequests } from './pod-requests.ts';
import {
  isTolerated,
  replicasByAverage,
  replicasByShare,
  replicasByUtilization,
  replicasByValue,
  type PodMetrics,
  type Proposal,
  type ReadinessRule,
  type Tolerances,
} from './replica-calculator.ts';

export interface ProposalContext {
  readonly client: MetricsClient;
  readonly namespace: string;
  /** The target's selector, as text. */
  readonly selector: string;
  readonly pods: readonly Pod[];
  /** What the target should have, and what it says that it has. */
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly tolerances: Tolerances;
  readonly readiness: Omit<ReadinessRule, 'isCpu'>;
}
export interface MetricProposal {
  readonly replicas: number;
  readonly status: MetricStatus;
  readonly name: string;
}
/** `message` for the condition, and what it says before it among the failures of all metrics. */
export class ProposalError extends Error {
  readonly reason: string;
  readonly prefix: string;
  constructor(reason: string, prefix: string, message: string) {
    super(message);
    this.reason = reason;
    this.prefix = prefix;
  }
}

/** Throws ProposalError. */
export async function proposeReplicas(
  context: ProposalContext,
  metric: MetricSpec,
  signal: AbortSignal,
): Promise<MetricProposal> {
  const failing = failureOf(metric);
  try {
    return await propose(context, metric, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ProposalError(failing.reason, failing.prefix, failing.message(errorText(error)));
  }
}

/** How a failure of a kind of metric is told. */
interface Failure {
  readonly reason: string;
  readonly prefix: string;
  /** Whatever went wrong, in the condition. */
  message(error: string): string;
}

const asItIs = (error: string) => error;

function failureOf(metric: MetricSpec): Failure {
  const { type, resource, containerResource, pods, object, external } = metric;
  const what = (target: MetricTarget | undefined) =>
    target?.type === 'Utilization' ? 'utilization' : 'usage';
  if (type === 'Resource' && resource !== undefined)
    return {
      reason: 'FailedGetResourceMetric',
      prefix: `failed to get ${resource.name} resource metric value: `,
      message: (error) => `failed to get ${resource.name} ${what(resource.target)}: ${error}`,
    };
  if (type === 'ContainerResource' && containerResource !== undefined) {
    const { name, container, target } = containerResource;
    return {
      reason: 'FailedGetContainerResourceMetric',
      prefix: `failed to get ${container} container metric value: `,
      message: (error) => `failed to get ${name} ${what(target)}: ${error}`,
    };
  }
  if (type === 'Pods' && pods !== undefined)
    return {
      reason: 'FailedGetPodsMetric',
      prefix: 'failed to get pods metric value: ',
      message: asItIs,
    };
  if (type === 'Object' && object !== undefined) {
    const wrapped =
      object.target.averageValue === undefined
        ? ''
        : `failed to get ${object.metric.name} object metric: `;
    return {
      reason: 'FailedGetObjectMetric',
      prefix: `failed to get object metric value: ${wrapped}`,
      message: asItIs,
    };
  }
  if (type === 'External' && external !== undefined) {
    const { name } = external.metric;
    const wrapped =
      external.target.averageValue === undefined
        ? `failed to get external metric ${name}: `
        : `failed to get ${name} external metric: `;
    return {
      reason: 'FailedGetExternalMetric',
      prefix: `failed to get ${name} external metric value: ${wrapped}`,
      message: asItIs,
    };
  }
  const message = `unknown metric source type ${JSON.stringify(type)}`;
  return { reason: 'InvalidMetricSourceType', prefix: '', message: () => message };
}

async function propose(
  context: ProposalContext,
  metric: MetricSpec,
  signal: AbortSignal,
): Promise<MetricProposal> {
  const { type, resource, containerResource, pods, object, external } = metric;
  if (type === 'Resource' && resource !== undefined) {
    const { name, target } = resource;
    const proposal = await byResource(context, { name, target }, signal);
    const current = currentOf(proposal, target);
    const status = { type, resource: { name, current } };
    return { replicas: proposal.replicas, status, name: resourceText(name, 'resource', target) };
  }
  if (type === 'ContainerResource' && containerResource !== undefined) {
    const { name, container, target } = containerResource;
    const proposal = await byResource(context, { name, container, target }, signal);
    const current = currentOf(proposal, target);
    const status = { type, containerResource: { name, container, current } };
    const text = resourceText(name, 'container resource', target);
    return { replicas: proposal.replicas, status, name: text };
  }
  if (type === 'Pods' && pods !== undefined) {
    const { metric: identifier, target } = pods;
    const { client, namespace, selector } = context;
    const samples = await reading(
      client.pods({ namespace, metric: identifier, selector }, signal),
      (error) => `unable to get metric ${identifier.name}: ${error}`,
    );
    const metrics = podMetrics(context, samples, false);
    const proposal = replicasByAverage(metrics, milli(target.averageValue ?? '0'));
    const status = {
      type,
      pods: { metric: identifier, current: { averageValue: quantity(proposal.average) } },
    };
    return { replicas: proposal.replicas, status, name: `pods metric ${identifier.name}` };
  }
  if (type === 'Object' && object !== undefined) return byObject(context, object, signal);
  if (type === 'External' && external !== undefined) return byExternal(context, external, signal);
  throw new Error(`unknown metric source type ${JSON.stringify(type)}`);
}

async function byObject(
  context: ProposalContext,
  { metric, describedObject, target }: ObjectMetricSource,
  signal: AbortSignal,
): Promise<MetricProposal> {
  const { client, namespace } = context;
  const { kind, name: objectName } = describedObject;
  const usage = await reading(
    client.object({ namespace, metric, object: describedObject }, signal),
    (error) =>
      `unable to get metric ${metric.name}: ${kind} on ${namespace} ${objectName}/${error}`,
  );
  const { replicas, current } = byNumber(context, target, usage);
  const name =
    target.averageValue === undefined ? `${kind} metric ${metric.name}` : externalName(metric);
  const status = { type: 'Object', object: { metric, describedObject, current } };
  return { replicas, status, name };
}

async function byExternal(
  context: ProposalContext,
  { metric, target }: ExternalMetricSource,
  signal: AbortSignal,
): Promise<MetricProposal> {
  const { client, namespace } = context;
  const usage = await reading(
    client.external({ namespace, metric }, signal),
    (error) =>
      `unable to get external metric ${namespace}/${metric.name}/${selectorText(metric)}: ${error}`,
  );
  const { replicas, current } = byNumber(context, target, usage);
  const status = { type: 'External', external: { metric, current } };
  return { replicas, status, name: externalName(metric) };
}

interface ResourceAim {
  readonly name: string;
  readonly container?: string;
  readonly target: MetricTarget;
}

async function byResource(
  context: ProposalContext,
  { name, container, target }: ResourceAim,
  signal: AbortSignal,
): Promise<Proposal> {
  const { client, namespace, selector, pods } = context;
  const query = { namespace, resource: name, container, selector };
  const samples = await reading(
    client.resource(query, signal),
    (error) => `unable to get metrics for resource ${name}: ${error}`,
  );
  const metrics = podMetrics(context, samples, name === 'cpu');
  if (target.averageUtilization === undefined)
    return replicasByAverage(metrics, milli(target.averageValue ?? '0'));
  return replicasByUtilization(
    metrics,
    podRequests(pods, name, container),
    target.averageUtilization,
  );
}

function podMetrics(
  { pods, specReplicas, tolerances, readiness }: ProposalContext,
  samples: PodMetrics['samples'],
  isCpu: boolean,
): PodMetrics {
  const currentReplicas = specReplicas;
  return { pods, samples, currentReplicas, tolerances, readiness: { ...readiness, isCpu } };
}

function currentOf({ average, utilization }: Proposal, target: MetricTarget): MetricValueStatus {
  const averageValue = quantity(average);
  return target.averageUtilization === undefined || utilization === undefined
    ? { averageValue }
    : { averageUtilization: utilization, averageValue };
}

function byNumber(
  { pods, specReplicas, statusReplicas, tolerances }: ProposalContext,
  target: MetricTarget,
  usage: number,
): { readonly replicas: number; readonly current: MetricValueStatus } {
  if (target.averageValue !== undefined) {
    const replicas = replicasByShare(usage, milli(target.averageValue), {
      replicas: statusReplicas,
      tolerances,
    });
    const average = Math.ceil(usage / Math.max(1, statusReplicas));
    return { replicas, current: { averageValue: quantity(average) } };
  }
  const ratio = usage / milli(target.value ?? '0');
  const readyPods = pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length;
  if (!isTolerated(ratio, tolerances) && specReplicas > 0 && pods.length === 0)
    throw new Error(
      'unable to calculate ready pods: ' +
        'no pods returned by selector while calculating replica count',
    );
  const replicas = replicasByValue(ratio, specReplicas, { readyPods, tolerances });
  return { replicas, current: { value: quantity(usage) } };
}

function resourceText(name: string, what: string, target: MetricTarget): string {
  return target.averageUtilization === undefined
    ? `${name} resource`
    : `${name} ${what} utilization (percentage of request)`;
}

function externalName(identifier: MetricIdentifier): string {
  return `external metric ${identifier.name}(${selectorText(identifier)})`;
}

function selectorText({ selector }: MetricIdentifier): string {
  return selector === undefined ? 'nil' : formatGoLabelSelector(selector);
}

/** What cannot be read is told in words of its own; what is then made of it is not. */
function reading<T>(answer: Promise<T>, words: (error: string) => string): Promise<T> {
  return answer.catch((error: unknown) => {
    throw new Error(words(errorText(error)), { cause: error });
  });
}

const quantity = (thousandths: number) =>
  formatQuantity(createQuantity(Math.trunc(thousandths), 'DecimalSI', -3));
