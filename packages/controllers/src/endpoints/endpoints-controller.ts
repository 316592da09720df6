// Keeps the Endpoints of every Service with a selector: the older, smaller form of EndpointSlices,
// of one address family and a thousand addresses, for the clients that still read it.

import { isStatusError, jsonEqual, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import type { Endpoints, Pod, Service } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { endpointsResource, podsResource, servicesResource } from '../machinery/resources.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';
import { eventTarget } from '../pods/pod-control.ts';
import {
  selectedPods,
  selectsPods,
  servicesOf,
} from '../endpoint-slice/endpoint-slice-controller.ts';
import { hasClusterIp } from '../endpoint-slice/pod-endpoint.ts';
import { headlessLabel } from '../endpoint-slice/service-slices.ts';
import {
  createTriggerTimes,
  withTriggerTime,
  type TriggerTimes,
} from '../endpoint-slice/trigger-time.ts';
import { endpointsManagedBy, endpointsManagedByLabel } from './endpoints-labels.ts';
import { subsetsOf, truncateSubsets } from './subsets.ts';

const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const workers = 5;
const endpointsKind = { apiVersion: 'v1', kind: 'Endpoints', resource: endpointsResource };

interface Tools {
  readonly context: ControllerContext;
  readonly services: Informer<Service>;
  readonly pods: Informer<Pod>;
  readonly endpoints: Informer<Endpoints>;
  readonly events: EventRecorder;
  readonly triggerTimes: TriggerTimes;
  /** Services that went while the controller looked. */
  readonly goneServices: Set<string>;
}

export function createEndpointsController(context: ControllerContext): Controller {
  const { informers } = context;
  const services = informers.informer<Service>(servicesResource);
  const pods = informers.informer<Pod>(podsResource);
  const endpoints = informers.informer<Endpoints>(endpointsResource);
  const events = createControllerEvents(context, 'endpoint-controller');
  const triggerTimes = createTriggerTimes();
  const goneServices = new Set<string>();
  const tools: Tools = {
    context,
    services,
    pods,
    endpoints,
    events,
    triggerTimes,
    goneServices,
  };
  return createReconciler(context, {
    failure: 'endpoints not reconciled',
    queue: 'endpoint',
    workers,
    reads: [services, pods, endpoints],
    subscribe: (queue) => {
      const enqueue = (object: KubeObject) => queue.add(keyOf(object));
      const enqueueOfPod = (pod: Pod) => servicesOf(services, pod).forEach(enqueue);
      return [
        services.addHandler({
          onAdd: enqueue,
          onUpdate: enqueue,
          onDelete: (service) => {
            goneServices.add(keyOf(service));
            enqueue(service);
          },
        }),
        pods.addHandler({
          onAdd: enqueueOfPod,
          onUpdate: (pod, old) => [pod, old].forEach(enqueueOfPod),
          onDelete: enqueueOfPod,
        }),
        endpoints.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<void> {
  const { services, endpoints, triggerTimes, goneServices } = tools;
  const { namespace, name } = parseKey(key);
  const service = services.store.get(namespace, name);
  const current = endpoints.store.get(namespace, name);
  if (service === undefined) {
    triggerTimes.forget(key);
    // Endpoints that someone writes before there is a Service wait for it.
    const isLeftOver = current !== undefined && (isOurs(current) || goneServices.has(key));
    if (isLeftOver && !isLeaderElection(current)) await remove(tools, current, signal);
    goneServices.delete(key);
    return;
  }
  goneServices.delete(key);
  if (!selectsPods(service) || service.metadata.deletionTimestamp !== undefined) return;
  const wanted = wantedEndpoints(tools, key, service);
  if (current !== undefined && isSame(current, wanted)) return;
  await write(tools, current, wanted, signal);
}

const isOurs = ({ metadata }: Endpoints) =>
  metadata.labels?.[endpointsManagedByLabel] === endpointsManagedBy;
/** Old programs elect their leader through an Endpoints object that belongs to no Service. */
const isLeaderElection = ({ metadata }: Endpoints) =>
  metadata.annotations?.[leaderAnnotation] !== undefined;

async function remove(
  { context }: Tools,
  { metadata: { namespace = '', name = '', uid = '' } }: Endpoints,
  signal: AbortSignal,
): Promise<void> {
  try {
    await context.client
      .resource(endpointsResource)
      .namespace(namespace)
      .delete(name, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}

function wantedEndpoints({ pods, triggerTimes }: Tools, key: string, service: Service): Endpoints {
  const { namespace = '', name = '', labels = {} } = service.metadata;
  const selected = selectedPods(pods, service);
  const { subsets, isTruncated } = truncateSubsets(subsetsOf(service, selected));
  const { [headlessLabel]: _, ...inherited } = labels;
  const annotations = withTriggerTime({}, triggerTimes.next(key, service, selected));
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      namespace,
      name,
      labels: {
        ...inherited,
        ...(!hasClusterIp(service) && { [headlessLabel]: '' }),
        [endpointsManagedByLabel]: endpointsManagedBy,
      },
      annotations: {
        ...annotations,
        ...(isTruncated && { [overCapacityAnnotation]: 'truncated' }),
      },
    },
    ...(subsets.length > 0 && { subsets }),
  };
}

function isSame(current: Endpoints, wanted: Endpoints): boolean {
  const compared = ({ metadata: { labels = {}, annotations = {} }, subsets = [] }: Endpoints) => ({
    labels,
    subsets: subsets as unknown as JsonValue,
    overCapacity: annotations[overCapacityAnnotation] ?? '',
  });
  return jsonEqual(compared(current), compared(wanted));
}

async function write(
  { context, events }: Tools,
  current: Endpoints | undefined,
  wanted: Endpoints,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '' } = wanted.metadata;
  const resource = context.client.resource<Endpoints>(endpointsResource).namespace(namespace);
  try {
    if (current === undefined) await resource.create(wanted, { signal });
    else await resource.update(updated(current, wanted), { signal });
  } catch (error) {
    // What is there already, or newer, will be seen and compared again.
    if (isNamespaceTerminating(error) || isStatusError(error, 'AlreadyExists')) return;
    const isCreation = current === undefined;
    if (!signal.aborted && !isStatusError(error, 'Conflict'))
      events.record(eventTarget(endpointsKind, current ?? wanted), {
        type: 'Warning',
        reason: isCreation ? 'FailedToCreateEndpoint' : 'FailedToUpdateEndpoint',
        message:
          (isCreation ? 'Failed to create endpoint for service ' : 'Failed to update endpoint ') +
          `${namespace}/${name}: ${errorText(error)}`,
      });
    throw error;
  }
}

function updated({ metadata }: Endpoints, wanted: Endpoints): Endpoints {
  const { [overCapacityAnnotation]: _, ...kept } = withTriggerTime(metadata.annotations, undefined);
  const { labels = {}, annotations = {} } = wanted.metadata;
  return {
    ...wanted,
    metadata: { ...metadata, labels, annotations: { ...kept, ...annotations } },
  };
}
