// Keeps, for every Service with a selector, the EndpointSlices that tell proxies and DNS which pods
// are behind it. Services without a selector are their owner's to fill in, and those of type
// ExternalName have nothing behind them in the cluster.

import {
  isConditionTrue,
  isStatusError,
  labelMatcherFromSet,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Node, Pod, Service } from '@keelson/apimachinery/types/core.v1';
import type { EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { createPendingWrites, type PendingWrites } from '../machinery/pending-writes.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  endpointSlicesResource,
  nodesResource,
  podsResource,
  servicesResource,
} from '../machinery/resources.ts';
import { requeueLater, type ReconcileResult } from '../machinery/run-controller.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { indexByNode, podsOnNode } from '../pods/pods-by-node.ts';
import { createHintedServices, type HintedServices } from './hinted-services.ts';
import { managedBy, planService, skippedPods } from './plan-service.ts';
import { zoneLabel } from './pod-endpoint.ts';
import { managedByLabel, serviceKind, serviceNameLabel } from './service-slices.ts';
import {
  countDistributions,
  createServiceMetrics,
  type ServiceMetrics,
} from './service-metrics.ts';
import { endpointChanges } from './slice-metrics.ts';
import { createTriggerTimes, type TriggerTimes } from './trigger-time.ts';
import { writeSlices } from './write-slices.ts';

const workers = 5;

interface Tools {
  readonly context: ControllerContext;
  readonly services: Informer<Service>;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly slices: Informer<EndpointSlice>;
  readonly events: EventRecorder;
  readonly pending: PendingWrites;
  readonly triggerTimes: TriggerTimes;
  readonly metrics: ServiceMetrics;
  readonly hinted: HintedServices;
}

export function createEndpointSliceController(context: ControllerContext): Controller {
  const { informers, clock } = context;
  const services = informers.informer<Service>(servicesResource);
  const pods = informers.informer<Pod>(podsResource);
  const nodes = informers.informer<Node>(nodesResource);
  const slices = informers.informer<EndpointSlice>(endpointSlicesResource);
  indexByNode(pods);
  const events = createControllerEvents(context, 'endpoint-slice-controller');
  const pending = createPendingWrites(slices, clock);
  const triggerTimes = createTriggerTimes();
  const metrics = createServiceMetrics(context.metrics);
  const hinted = createHintedServices(
    () => nodes.store.list(),
    (key, text) => {
      const { namespace, name } = parseKey(key);
      const service = services.store.get(namespace, name);
      if (service !== undefined) events.record(eventTarget(serviceKind, service), text);
    },
  );
  const tools: Tools = {
    context,
    services,
    pods,
    nodes,
    slices,
    events,
    pending,
    triggerTimes,
    metrics,
    hinted,
  };
  return createReconciler(context, {
    failure: 'endpoint slices not reconciled',
    queue: 'endpoint_slice',
    workers,
    reads: [services, pods, nodes, slices],
    subscribe: (queue) => [
      ...subscribe(tools, (key) => queue.add(key)),
      countDistributions(context.metrics, services),
    ],
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

function subscribe(
  { services, pods, nodes, slices, hinted }: Tools,
  add: (key: string) => void,
): readonly (() => void)[] {
  const enqueue = (service: KubeObject) => add(keyOf(service));
  const enqueueOfPod = (pod: Pod) => servicesOf(services, pod).forEach(enqueue);
  const enqueueOfNode = ({ metadata }: Node) =>
    podsOnNode(pods, metadata.name ?? '').forEach(enqueueOfPod);
  const enqueueOfSlice = ({ metadata: { namespace = '', labels = {} } }: EndpointSlice) => {
    const service = labels[serviceNameLabel];
    if (labels[managedByLabel] === managedBy && service !== undefined)
      add(`${namespace}/${service}`);
  };
  const enqueueOverloaded = () => {
    hinted.nodesChanged();
    hinted.overloaded().forEach(add);
  };
  return [
    services.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
    pods.addHandler({
      onAdd: enqueueOfPod,
      onUpdate: (pod, old) => [pod, old].forEach(enqueueOfPod),
      onDelete: enqueueOfPod,
    }),
    nodes.addHandler({
      onAdd: (node, isInitial) => !isInitial && enqueueOfNode(node),
      onUpdate: (node, old) => zoneOf(node) !== zoneOf(old) && enqueueOfNode(node),
      onDelete: enqueueOfNode,
    }),
    nodes.addHandler({
      onAdd: enqueueOverloaded,
      onUpdate(node, old) {
        const isElsewhere = zoneOf(node) !== zoneOf(old) || isNodeReady(node) !== isNodeReady(old);
        if (isElsewhere) enqueueOverloaded();
        else hinted.nodesChanged();
      },
      onDelete: enqueueOverloaded,
    }),
    slices.addHandler({
      onAdd: enqueueOfSlice,
      onUpdate: (slice, old) => [slice, old].forEach(enqueueOfSlice),
      onDelete: enqueueOfSlice,
    }),
  ];
}

const isNodeReady = ({ status }: Node) => isConditionTrue(status?.conditions, 'Ready');
const zoneOf = ({ metadata }: Node) => metadata.labels?.[zoneLabel];

/** Those that select the pod. */
export function servicesOf(services: Informer<Service>, { metadata }: Pod): readonly Service[] {
  return services.store
    .list(metadata.namespace ?? '')
    .filter((service) => selectsPods(service) && selectorOf(service).matches(metadata.labels));
}
/** Whether its endpoints are pods, found by a selector. */
export function selectsPods({ spec }: Service): boolean {
  const { selector = {}, type } = spec ?? {};
  return type !== 'ExternalName' && Object.keys(selector).length > 0;
}
function selectorOf({ spec }: Service) {
  return labelMatcherFromSet(spec?.selector ?? {});
}
/** In order of their names. */
export function selectedPods(pods: Informer<Pod>, service: Service): readonly Pod[] {
  const selector = selectorOf(service);
  return pods.store
    .list(service.metadata.namespace ?? '')
    .filter(({ metadata }) => selector.matches(metadata.labels))
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { context, services, pending, triggerTimes, metrics } = tools;
  const { namespace, name } = parseKey(key);
  const service = services.store.get(namespace, name);
  if (service === undefined || !selectsPods(service)) {
    pending.forget(key);
    triggerTimes.forget(key);
    tools.hinted.forget(key);
    metrics.needs(key, undefined);
    return;
  }
  if (service.metadata.deletionTimestamp !== undefined) return;
  if (!pending.areSeen(key)) {
    metrics.synced('stale');
    return requeueLater;
  }
  try {
    const selected = selectedPods(tools.pods, service);
    const plan = planService({ ...tools, isEnabled: context.isEnabled }, service, selected);
    const what = `Service ${key}`;
    await writeSlices({ client: context.client, pending }, { key, what, namespace, plan }, signal);
    metrics.changed(plan, endpointChanges(plan, plan.existing));
    metrics.spread(service, plan);
    const skipped = skippedPods(tools, service, selected);
    metrics.synced(skipped.length === 0 ? 'success' : 'error');
    // Nothing to try again: the node comes, or the pod goes.
    if (skipped.length === 1) tellFailure(tools, service, skipped.join());
    else if (skipped.length > 1) tellFailure(tools, service, `[${skipped.join(', ')}]`);
  } catch (error) {
    metrics.synced(isStatusError(error, 'Conflict') ? 'stale' : 'error');
    if (!signal.aborted && !isStatusError(error, 'Conflict'))
      tellFailure(tools, service, errorText(error));
    throw error;
  }
}

function tellFailure({ events }: Tools, service: Service, text: string): void {
  events.record(eventTarget(serviceKind, service), {
    type: 'Warning',
    reason: 'FailedToUpdateEndpointSlices',
    message: `Error updating Endpoint Slices for Service ${keyOf(service)}: ${text}`,
  });
}
