// Mirrors Endpoints that people or programs write by hand, for Services without a selector, into
// EndpointSlices, since that is all that proxies read. Not mirrored are those that carry a leader
// election, those of the endpoints controller, and those whose owner says so.

import { isStatusError } from '@keelson/apimachinery';
import type { Endpoints, Service } from '@keelson/apimachinery/types/core.v1';
import type { EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { isControlledBy } from '../machinery/ownership.ts';
import { createPendingWrites, type PendingWrites } from '../machinery/pending-writes.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  endpointSlicesResource,
  endpointsResource,
  servicesResource,
} from '../machinery/resources.ts';
import { requeueLater, type ReconcileResult } from '../machinery/run-controller.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { endpointsManagedBy, endpointsManagedByLabel } from '../endpoints/endpoints-labels.ts';
import { planSlices, type SlicePlan } from '../endpoint-slice/plan-slices.ts';
import { managedByLabel, serviceNameLabel } from '../endpoint-slice/service-slices.ts';
import { endpointChanges } from '../endpoint-slice/slice-metrics.ts';
import { writeSlices } from '../endpoint-slice/write-slices.ts';
import {
  addressTypes,
  endpointsKind,
  mirroredEndpoints,
  mirroredMax,
  mirroringManagedBy,
  mirrorTemplate,
} from './mirror-endpoints.ts';
import { createMirrorMetrics, type MirrorMetrics } from './mirror-metrics.ts';

const skipMirrorLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const workers = 5;

interface Tools {
  readonly context: ControllerContext;
  readonly endpoints: Informer<Endpoints>;
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly events: EventRecorder;
  readonly pending: PendingWrites;
  readonly metrics: MirrorMetrics;
}

export function createEndpointSliceMirroringController(context: ControllerContext): Controller {
  const { informers, clock } = context;
  const endpoints = informers.informer<Endpoints>(endpointsResource);
  const services = informers.informer<Service>(servicesResource);
  const slices = informers.informer<EndpointSlice>(endpointSlicesResource);
  const events = createControllerEvents(context, 'endpoint-slice-mirroring-controller');
  const pending = createPendingWrites(slices, clock);
  const metrics = createMirrorMetrics(context.metrics);
  const tools: Tools = { context, endpoints, services, slices, events, pending, metrics };
  return createReconciler(context, {
    failure: 'endpoints not mirrored',
    queue: 'endpoint_slice_mirroring',
    workers,
    reads: [endpoints, services, slices],
    subscribe: (queue) => {
      const enqueue = (object: Endpoints | Service) => queue.add(keyOf(object));
      const enqueueOwner = (slice: EndpointSlice) => {
        const { namespace = '', labels = {} } = slice.metadata;
        if (isOurs(slice)) queue.add(`${namespace}/${labels[serviceNameLabel]}`);
      };
      return [
        endpoints.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
        services.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
        slices.addHandler({
          onAdd: enqueueOwner,
          onUpdate: (slice, old) => [slice, old].forEach(enqueueOwner),
          onDelete: enqueueOwner,
        }),
      ];
    },
    async reconcile(key, signal) {
      const sinceMs = clock.monotonic();
      try {
        return await reconcile(tools, key, signal);
      } finally {
        metrics.synced((clock.monotonic() - sinceMs) / 1000);
      }
    },
  });
}

function isOurs({ metadata: { labels = {} } }: EndpointSlice): boolean {
  return labels[managedByLabel] === mirroringManagedBy && labels[serviceNameLabel] !== undefined;
}

function shouldMirror({ metadata }: Endpoints): boolean {
  const { labels = {}, annotations = {}, deletionTimestamp } = metadata;
  return (
    deletionTimestamp === undefined &&
    labels[skipMirrorLabel] !== 'true' &&
    labels[endpointsManagedByLabel] !== endpointsManagedBy &&
    annotations[leaderAnnotation] === undefined
  );
}

/** Even where nothing comes of it, as in a Service of type ExternalName. */
function hasSelector({ spec }: Service): boolean {
  return Object.keys(spec?.selector ?? {}).length > 0;
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { context, endpoints, services, slices, events, pending, metrics } = tools;
  const { namespace, name } = parseKey(key);
  if (!pending.areSeen(key)) return requeueLater;
  const existing = slices.store
    .list(namespace)
    .filter((slice) => isOurs(slice) && slice.metadata.labels?.[serviceNameLabel] === name);
  const source = endpoints.store.get(namespace, name);
  const service = services.store.get(namespace, name);
  const isMirrored =
    source !== undefined && shouldMirror(source) && service !== undefined && !hasSelector(service);
  const plan: SlicePlan = isMirrored
    ? planMirror(tools, source, existing)
    : { create: [], update: [], delete: existing };
  try {
    const what = `Endpoints ${key}`;
    await writeSlices({ client: context.client, pending }, { key, what, namespace, plan }, signal);
    const changes = endpointChanges(plan, existing);
    metrics.changed(plan, changes);
    metrics.updated(changes.updated);
  } catch (error) {
    if (source !== undefined && !signal.aborted && !isStatusError(error, 'Conflict'))
      events.record(eventTarget(endpointsKind, source), {
        type: 'Warning',
        reason: 'FailedToUpdateEndpointSlices',
        message: `Error updating EndpointSlices for Endpoints ${key}: ${errorText(error)}`,
      });
    throw error;
  }
  if (!isMirrored) metrics.needs(key, undefined);
  if (source === undefined) pending.forget(key);
}

function planMirror(
  { events, metrics }: Tools,
  source: Endpoints,
  existing: readonly EndpointSlice[],
): SlicePlan {
  const { groups, invalid, skipped } = mirroredEndpoints(source);
  const warn = (reason: string, message: string) =>
    events.record(eventTarget(endpointsKind, source), { type: 'Warning', reason, message });
  if (invalid > 0)
    warn(
      'InvalidAddress',
      `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`,
    );
  if (skipped > 0)
    warn(
      'TooManyAddressesToMirror',
      `A max of ${mirroredMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ` +
        `${invalid + skipped} addresses were skipped`,
    );
  metrics.skipped(invalid + skipped);
  const plans = addressTypes.map((addressType) =>
    planSlices({
      existing: existing.filter((s) => s.addressType === addressType && isControlledBy(s, source)),
      desired: groups[addressType],
      template: mirrorTemplate(source, addressType),
      endpointsMax: mirroredMax,
      keepsPlaceholder: false,
    }),
  );
  const strangers = existing.filter(
    (slice) =>
      !addressTypes.some((type) => type === slice.addressType) || !isControlledBy(slice, source),
  );
  const plan: SlicePlan = {
    create: plans.flatMap((one) => one.create),
    update: plans.flatMap((one) => one.update),
    delete: [...strangers, ...plans.flatMap((one) => one.delete)],
  };
  const sizes = addressTypes.flatMap((type) => groups[type].map((one) => one.endpoints.length));
  metrics.needs(keyOf(source), {
    endpoints: sizes.reduce((sum, size) => sum + size, 0),
    slices: existing.length + plan.create.length - plan.delete.length,
    slicesAtBest: sizes.reduce((sum, size) => sum + Math.ceil(size / mirroredMax), 0),
  });
  return plan;
}
