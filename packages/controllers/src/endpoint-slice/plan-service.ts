// What has to be written for a Service: for each of its address families the slices that its pods
// make, with the hints that it asks for.

import type { Node, Pod, Service } from '@keelson/apimachinery/types/core.v1';
import type { EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import type { Informer } from '@keelson/client';
import { keyOf } from '../machinery/controller.ts';
import { isControlledBy } from '../machinery/ownership.ts';
import type { HintedServices } from './hinted-services.ts';
import { planSlices, type SlicePlan } from './plan-slices.ts';
import { addressTypesOf, canBeEndpoint, type AddressType } from './pod-endpoint.ts';
import {
  managedByLabel,
  serviceEndpoints,
  serviceNameLabel,
  sliceTemplate,
} from './service-slices.ts';
import type { SliceMetrics } from './slice-metrics.ts';
import { asksForHints } from './topology-hints.ts';
import { knownDistribution } from './traffic-hints.ts';
import { withTriggerTime, type TriggerTimes } from './trigger-time.ts';

export const managedBy = 'endpointslice-controller.k8s.io';
/** In one slice. Kubernetes' default: larger ones make every change dearer for every node. */
const endpointsMax = 100;

export interface ServicePlanner {
  readonly isEnabled: (gate: string) => boolean;
  readonly nodes: Informer<Node>;
  readonly slices: Informer<EndpointSlice>;
  readonly triggerTimes: TriggerTimes;
  readonly metrics: SliceMetrics;
  readonly hinted: HintedServices;
}

export interface ServicePlan extends SlicePlan {
  /** The Service's slices, as they are. */
  readonly existing: readonly EndpointSlice[];
  /** Zones are told by topology and not by `trafficDistribution`. */
  readonly wantsHints: boolean;
}

/** `selected` are the pods that the Service selects. */
export function planService(
  planner: ServicePlanner,
  service: Service,
  selected: readonly Pod[],
): ServicePlan {
  const { isEnabled, nodes, slices, triggerTimes, metrics, hinted } = planner;
  const key = keyOf(service);
  const { namespace = '', name = '' } = service.metadata;
  const time = triggerTimes.next(key, service, selected);
  const timed = (slice: EndpointSlice): EndpointSlice => ({
    ...slice,
    metadata: { ...slice.metadata, annotations: withTriggerTime(slice.metadata.annotations, time) },
  });
  const ours = slices.store
    .list(namespace)
    .filter(
      ({ metadata: { labels = {}, deletionTimestamp } }) =>
        labels[serviceNameLabel] === name &&
        labels[managedByLabel] === managedBy &&
        deletionTimestamp === undefined,
    );
  const addressTypes = addressTypesOf(service);
  const wantsHints = asksForHints(service.metadata.annotations) && isEnabled('TopologyAwareHints');
  const needs = { endpoints: 0, slices: 0, slicesAtBest: 0 };
  const plans = addressTypes.map((addressType) => {
    const desired = serviceEndpoints(service, selected, {
      nodeOf: ({ spec }) => nodes.store.get('', spec?.nodeName ?? ''),
      addressType,
      distribution: wantsHints ? undefined : knownDistribution(service, isEnabled),
    });
    for (const { endpoints } of desired) {
      needs.endpoints += endpoints.length;
      needs.slicesAtBest += Math.ceil(endpoints.length / endpointsMax);
    }
    const existing = ours.filter(
      (s) => s.addressType === addressType && isControlledBy(s, service),
    );
    const planned = planSlices({
      existing,
      desired,
      template: sliceTemplate(service, managedBy, addressType),
      endpointsMax,
      keepsPlaceholder: true,
      keepsHints: wantsHints,
    });
    if (wantsHints) return withHints(hinted, { key, addressType, existing }, planned);
    hinted.take({ service: key, addressType });
    return planned;
  });
  const strangers = ours.filter(
    (slice) =>
      !addressTypes.some((type) => type === slice.addressType) || !isControlledBy(slice, service),
  );
  const plan: ServicePlan = {
    existing: ours,
    wantsHints,
    create: plans.flatMap((one) => one.create).map(timed),
    update: plans.flatMap((one) => one.update).map(timed),
    delete: [...strangers, ...plans.flatMap((one) => one.delete)],
  };
  needs.slices = ours.length + plan.create.length - plan.delete.length;
  metrics.needs(key, needs);
  return plan;
}

interface PlannedService {
  readonly key: string;
  readonly addressType: AddressType;
  readonly existing: readonly EndpointSlice[];
}

function withHints(
  hinted: HintedServices,
  { key, addressType, existing }: PlannedService,
  plan: SlicePlan,
): SlicePlan {
  const touched = new Set([...plan.update, ...plan.delete].map(({ metadata }) => metadata.name));
  const unchanged = existing.filter(({ metadata }) => !touched.has(metadata.name));
  const { create, update } = hinted.give({
    service: key,
    addressType,
    slices: { create: plan.create, update: plan.update, unchanged },
  });
  return { ...plan, create, update };
}

/** Of pods that are not told of, because nobody knows the node that they are on. */
export function skippedPods(
  { nodes }: Pick<ServicePlanner, 'nodes'>,
  service: Service,
  selected: readonly Pod[],
): readonly string[] {
  if (service.spec?.publishNotReadyAddresses === true) return [];
  return selected.flatMap((pod) => {
    const { nodeName = '' } = pod.spec ?? {};
    if (!canBeEndpoint(pod, true) || nodes.store.get('', nodeName) !== undefined) return [];
    const { name } = pod.metadata;
    return [`skipping Pod ${name} for Service ${keyOf(service)}: Node ${nodeName} Not Found`];
  });
}
