// Deletes pods whose devices have taints with the effect NoExecute that their claims do not bear,
// or not for longer (KEP-5055). Drivers taint devices in their ResourceSlices, administrators by
// DeviceTaintRules.

import type { GroupVersionResource, KubeObject } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { ResourceClaim, ResourceSlice } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { DeviceTaintRule } from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  podsResource,
  resourceClaimsResource,
  resourceSlicesResource,
} from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { disruptPod } from '../pods/disrupt-pod.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { createDeletionMetrics } from '../taint-eviction/deletion-metrics.ts';
import { evictionTime } from './eviction-time.ts';
import { withRuleTaints } from './rule-taints.ts';

const component = 'device-taint-eviction-controller';
const workers = 8;
const whyDisrupted = {
  reason: 'DeletionByDeviceTaintManager',
  message: 'Device Taint manager: deleting due to NoExecute taint',
};

interface Eviction {
  readonly uid: string;
  readonly isDone: boolean;
}

interface Tools {
  readonly context: ControllerContext;
  readonly pods: Informer<Pod>;
  readonly claims: Informer<ResourceClaim>;
  /** With the taints of the rules. */
  readonly slices: () => readonly ResourceSlice[];
  readonly events: EventRecorder;
  /** Begun, or to come, by the pod's key. */
  readonly evictions: Map<string, Eviction>;
  deleted(lateMs: number): void;
}

export interface DeviceTaintEvictionOptions {
  /** From `servedTaintRules`; without it only slices have taints. */
  readonly taintRules?: GroupVersionResource | undefined;
}

export function createDeviceTaintEvictionController(
  context: ControllerContext,
  { taintRules }: DeviceTaintEvictionOptions,
): Controller {
  const { informers, metrics } = context;
  const pods = informers.informer<Pod>(podsResource);
  const claims = informers.informer<ResourceClaim>(resourceClaimsResource);
  const slices = informers.informer<ResourceSlice>(resourceSlicesResource);
  const rules = taintRules && informers.informer<DeviceTaintRule>(taintRules);
  const tools: Tools = {
    context,
    pods,
    claims,
    slices: () => withRuleTaints(slices.store.list(), rules?.store.list() ?? []),
    events: createControllerEvents(context, component),
    evictions: new Map(),
    deleted: createDeletionMetrics(metrics, {
      subsystem: 'device_taint_eviction_controller',
      controller: 'DeviceTaintEvictionController',
    }),
  };
  return createReconciler(context, {
    failure: 'pod not evicted from its devices',
    queue: 'device_taint_eviction',
    workers,
    reads: [pods, claims, slices, ...(rules === undefined ? [] : [rules])],
    subscribe(queue) {
      const enqueue = (object: KubeObject) => queue.add(keyOf(object));
      const enqueueUsers = ({ metadata, status }: ResourceClaim) => {
        for (const { apiGroup = '', resource, name } of status?.reservedFor ?? [])
          if (apiGroup === '' && resource === 'pods') queue.add(`${metadata.namespace}/${name}`);
      };
      /** Slices and rules change seldom, and any claim may be concerned. */
      const enqueueAll = () => claims.store.list().forEach(enqueueUsers);
      const onChange = { onAdd: enqueueAll, onUpdate: enqueueAll, onDelete: enqueueAll };
      return [
        pods.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
        claims.addHandler({
          onAdd: enqueueUsers,
          onUpdate: (claim, old) => [claim, old].forEach(enqueueUsers),
          onDelete: enqueueUsers,
        }),
        slices.addHandler(onChange),
        ...(rules === undefined ? [] : [rules.addHandler(onChange)]),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { context, pods, evictions } = tools;
  const { namespace, name } = parseKey(key);
  const pod = pods.store.get(namespace, name);
  const { uid = '' } = pod?.metadata ?? {};
  const before = evictions.get(key);
  if (before !== undefined && before.uid !== uid) evictions.delete(key);
  if (pod === undefined || isPodFinished(pod) || pod.metadata.deletionTimestamp !== undefined)
    return;
  const dueMs = timeOfPod(tools, pod);
  const known = evictions.get(key);
  if (dueMs === undefined) {
    evictions.delete(key);
    if (known?.isDone === false) tell(tools, key, uid, 'Cancelling deletion');
    return;
  }
  const leftMs = dueMs - context.clock.now();
  if (leftMs > 0) {
    if (known === undefined) evictions.set(key, { uid, isDone: false });
    return { requeueAfterMs: leftMs };
  }
  if (known?.isDone !== true) {
    evictions.set(key, { uid, isDone: true });
    tell(tools, key, uid, 'Marking for deletion');
  }
  if (await disruptPod(context, pod, whyDisrupted, signal))
    tools.deleted(context.clock.now() - dueMs);
}

/** The earliest of the claims that are reserved for it; undefined when it may stay. */
function timeOfPod({ claims, slices }: Tools, pod: Pod): number | undefined {
  const { namespace = '', uid = '' } = pod.metadata;
  if ((pod.spec.nodeName ?? '') === '' || (pod.spec.resourceClaims ?? []).length === 0)
    return undefined;
  const times = claimNamesOf(pod).flatMap((name) => {
    const { status } = claims.store.get(namespace, name) ?? {};
    const isOurs = status?.reservedFor?.some((user) => user.uid === uid) === true;
    if (!isOurs || status.allocation === undefined) return [];
    return evictionTime(status.allocation, slices()) ?? [];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

function claimNamesOf({ spec, status }: Pod): readonly string[] {
  return (spec.resourceClaims ?? []).flatMap(
    ({ name, resourceClaimName }) =>
      resourceClaimName ??
      status?.resourceClaimStatuses?.find((made) => made.name === name)?.resourceClaimName ??
      [],
  );
}

function tell({ events }: Tools, key: string, uid: string, message: string): void {
  const { namespace, name } = parseKey(key);
  events.record(
    { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    { type: 'Normal', reason: 'DeviceTaintManagerEviction', message },
  );
}
