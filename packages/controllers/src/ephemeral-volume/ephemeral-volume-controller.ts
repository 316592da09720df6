// Creates the claim of each ephemeral volume of a pod, named after both and owned by the pod, so
// that it goes when the pod goes. A claim of that name that belongs to somebody else is left alone.

import type { PersistentVolumeClaim, Pod, Volume } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { controllerReference, isControlledBy } from '../machinery/ownership.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { persistentVolumeClaimsResource, podsResource } from '../machinery/resources.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { claimNameOf, usesClaim } from '../volumes/pod-claims.ts';

const podKind = { apiVersion: 'v1', kind: 'Pod', resource: podsResource };
const workers = 10;

interface Tools {
  readonly context: ControllerContext;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly events: EventRecorder;
  readonly creations: ReturnType<typeof createCreationMetrics>;
}

export function createEphemeralVolumeController(context: ControllerContext): Controller {
  const { informers } = context;
  const pods = informers.informer<Pod>(podsResource);
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const events = createControllerEvents(context, 'ephemeral_volume');
  const creations = createCreationMetrics(context);
  const tools: Tools = { context, claims, events, creations };
  return createReconciler(context, {
    failure: 'claim of an ephemeral volume not created',
    queue: 'ephemeral_volume',
    workers,
    reads: [pods, claims],
    subscribe: (queue) => {
      const enqueue = (pod: Pod) => {
        if (ephemeralVolumes(pod).length > 0) queue.add(keyOf(pod));
      };
      /** Also of a claim that was in the way. */
      const enqueueUsers = ({ metadata: { namespace = '', name = '' } }: PersistentVolumeClaim) => {
        for (const pod of pods.store.list(namespace)) if (usesClaim(pod, name)) enqueue(pod);
      };
      return [pods.addHandler({ onAdd: enqueue }), claims.addHandler({ onDelete: enqueueUsers })];
    },
    async reconcile(key, signal) {
      const { namespace, name } = parseKey(key);
      const pod = pods.store.get(namespace, name);
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
      for (const volume of ephemeralVolumes(pod)) await provide(tools, pod, volume, signal);
    },
  });
}

const ephemeralVolumes = ({ spec }: Pod) =>
  (spec?.volumes ?? []).filter(({ ephemeral }) => ephemeral !== undefined);

async function provide(tools: Tools, pod: Pod, volume: Volume, signal: AbortSignal): Promise<void> {
  const { namespace = '', name: podName = '' } = pod.metadata;
  const name = claimNameOf(pod, volume) ?? '';
  const existing = tools.claims.store.get(namespace, name);
  if (existing !== undefined && isControlledBy(existing, pod)) return;
  try {
    if (existing !== undefined)
      throw new Error(
        `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} ` +
          '(pod is not owner)',
      );
    await create(tools, pod, volume, signal);
  } catch (error) {
    if (!signal.aborted)
      tools.events.record(eventTarget(podKind, pod), {
        type: 'Warning',
        reason: 'FailedBinding',
        message: `ephemeral volume ${volume.name}: ${errorText(error)}`,
      });
    throw error;
  }
}

async function create(
  { context, creations }: Tools,
  pod: Pod,
  volume: Volume,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '' } = pod.metadata;
  const name = claimNameOf(pod, volume) ?? '';
  const { metadata: { labels, annotations } = {}, spec = {} } =
    volume.ephemeral?.volumeClaimTemplate ?? {};
  const claim: PersistentVolumeClaim = {
    metadata: {
      ...(labels && { labels: { ...labels } }),
      ...(annotations && { annotations: { ...annotations } }),
      name,
      ownerReferences: [controllerReference(podKind, pod)],
    },
    spec: structuredClone(spec),
  };
  creations.begun();
  try {
    await context.client
      .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
      .namespace(namespace)
      .create(claim, { signal });
  } catch (error) {
    creations.failed();
    throw new Error(`create PVC ${name}: ${errorText(error)}`, { cause: error });
  }
}

function createCreationMetrics({ metrics }: ControllerContext) {
  // COMPAT: one text, with its slip, for both.
  const help = '[ALPHA] Number of PersistenVolumeClaims creation requests';
  const begun = metrics.counter('ephemeral_volume_controller_create_total', help);
  const failed = metrics.counter('ephemeral_volume_controller_create_failures_total', help);
  return { begun: () => begun.add({}), failed: () => failed.add({}) };
}
