// Keeps the ranges that cluster IPs come from while Services have addresses of them, and says
// whether they are ready (KEP-1880): a finalizer, and the condition Ready.

import {
  formatTime,
  isStatusError,
  type GroupVersionResource,
  type KubeObject,
} from '@keelson/apimachinery';
import type { IPAddress, ServiceCIDR } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { cidrsOf, containsAddress, overlap } from './cidr.ts';
import { isAllocated, mayDelete } from './may-delete.ts';

const component = 'service-cidr-controller';
const finalizer = 'networking.k8s.io/service-cidr-finalizer';
const workers = 5;
/** Until then every allocator has heard that no more addresses come from the range. */
const deletionGraceMs = 10_000;

const ready = { type: 'Ready', status: 'True', message: 'Kubernetes Service CIDR is ready' };
const terminating = {
  type: 'Ready',
  status: 'False',
  reason: 'Terminating',
  message:
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};

interface Tools {
  readonly context: ControllerContext;
  readonly resource: GroupVersionResource;
  readonly serviceCidrs: Informer<ServiceCIDR>;
  readonly addresses: Informer<IPAddress>;
  readonly events: EventRecorder;
}

export interface ServiceCidrControllerOptions {
  /** In which both kinds are served. */
  readonly version: string;
}

export function createServiceCidrController(
  context: ControllerContext,
  { version }: ServiceCidrControllerOptions,
): Controller {
  const { informers } = context;
  const resourceOf = (resource: string) => ({ group: 'networking.k8s.io', version, resource });
  const serviceCidrs = informers.informer<ServiceCIDR>(resourceOf('servicecidrs'));
  const addresses = informers.informer<IPAddress>(resourceOf('ipaddresses'));
  const events = createControllerEvents(context, component);
  const resource = resourceOf('servicecidrs');
  const tools: Tools = { context, resource, serviceCidrs, addresses, events };
  return createReconciler(context, {
    failure: 'service CIDR not reconciled',
    // COMPAT: the name of its queue in Kubernetes.
    queue: 'ipaddresses',
    workers,
    reads: [serviceCidrs, addresses],
    subscribe(queue) {
      const enqueue = ({ metadata }: KubeObject) => queue.add(metadata.name ?? '');
      /** One more range, or one less, may free others of their addresses. */
      const enqueueOverlapping = (changed: ServiceCIDR) => {
        for (const other of serviceCidrs.store.list())
          if (cidrsOf(changed).some((a) => cidrsOf(other).some((b) => overlap(a, b))))
            enqueue(other);
      };
      const enqueueContaining = (address: IPAddress) => {
        const { name = '' } = address.metadata;
        if (!isAllocated(address)) return;
        for (const serviceCidr of serviceCidrs.store.list())
          if (cidrsOf(serviceCidr).some((cidr) => containsAddress(cidr, name)))
            enqueue(serviceCidr);
      };
      return [
        serviceCidrs.addHandler({
          onAdd: (added) => {
            enqueue(added);
            enqueueOverlapping(added);
          },
          onUpdate: enqueue,
          onDelete: enqueueOverlapping,
        }),
        addresses.addHandler({ onAdd: enqueueContaining, onDelete: enqueueContaining }),
      ];
    },
    reconcile: (name, signal) => reconcile(tools, name, signal),
  });
}

async function reconcile(
  tools: Tools,
  name: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { context, serviceCidrs, addresses } = tools;
  const serviceCidr = serviceCidrs.store.get('', name);
  if (serviceCidr === undefined) return;
  const { deletionTimestamp, finalizers = [] } = serviceCidr.metadata;
  try {
    if (deletionTimestamp === undefined) {
      if (!finalizers.includes(finalizer))
        await patchFinalizers(tools, name, { finalizers: [finalizer] }, signal);
      await applyCondition(tools, serviceCidr, ready, signal);
    } else if (mayDelete(serviceCidr, serviceCidrs.store.list(), addresses.store.list())) {
      const waitMs = Date.parse(deletionTimestamp) + deletionGraceMs - context.clock.now();
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      const removal = { '$deleteFromPrimitiveList/finalizers': [finalizer] };
      if (finalizers.includes(finalizer)) await patchFinalizers(tools, name, removal, signal);
    } else await applyCondition(tools, serviceCidr, terminating, signal);
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}

async function patchFinalizers(
  { context, resource }: Tools,
  name: string,
  metadata: { readonly [field: string]: string[] },
  signal: AbortSignal,
): Promise<void> {
  await context.client
    .resource(resource)
    .patch(name, 'strategic', { metadata: { ...metadata } }, { signal });
}

interface WantedCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message: string;
}

async function applyCondition(
  { context, resource, events }: Tools,
  serviceCidr: ServiceCIDR,
  wanted: WantedCondition,
  signal: AbortSignal,
): Promise<void> {
  const current = serviceCidr.status?.conditions?.find(({ type }) => type === wanted.type);
  // Every write is an event that brings us here again: only what is new is written.
  if (current?.status === wanted.status && current.message === wanted.message) return;
  const { group, version } = resource;
  const { name = '' } = serviceCidr.metadata;
  const lastTransitionTime = formatTime(context.clock.now());
  const applied = {
    apiVersion: `${group}/${version}`,
    kind: 'ServiceCIDR',
    metadata: { name },
    status: { conditions: [{ ...wanted, lastTransitionTime }] },
  };
  try {
    await context.client
      .resource<KubeObject>(resource)
      .apply(applied, { subresource: 'status', fieldManager: component, force: true, signal });
  } catch (error) {
    if (wanted === ready && !signal.aborted && !isStatusError(error, 'NotFound'))
      events.record(
        eventTarget({ apiVersion: applied.apiVersion, kind: applied.kind, resource }, serviceCidr),
        {
          type: 'Warning',
          reason: 'KubernetesServiceCIDRError',
          message: 'The ServiceCIDR Status can not be set to Ready=True',
        },
      );
    throw error;
  }
}
