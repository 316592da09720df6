// Warns of pods that could not run on one node once volumes are labelled at the mount (KEP-1710):
// events on both, and a metric. It changes nothing, and is of use only where nodes have SELinux, so
// it runs only when it is named. Where pods really run does not matter to it.

import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from '@keelson/apimachinery/types/core.v1';
import type { CSIDriver } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import type { Gauge } from '../machinery/controller-metrics.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  csiDriversResource,
  persistentVolumeClaimsResource,
  persistentVolumesResource,
  podsResource,
} from '../machinery/resources.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { conflictsOf, describeConflict, reversed, type Conflict } from './conflicts.ts';
import { labellingOf, severalLabels, type VolumeLabelling } from './pod-volumes.ts';

const podKind = { apiVersion: 'v1', kind: 'Pod', resource: podsResource };
const byClaim = 'claim';
const workers = 1;

interface Tools {
  readonly pods: Informer<Pod>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly drivers: Informer<CSIDriver>;
  readonly events: EventRecorder;
  /** By volume, then by the pod's key. */
  readonly users: Map<string, Map<string, VolumeLabelling>>;
  readonly shown: Gauge;
}

export function createSelinuxWarningController(context: ControllerContext): Controller {
  const { informers, metrics } = context;
  const pods = informers.informer<Pod>(podsResource);
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesResource);
  const drivers = informers.informer<CSIDriver>(csiDriversResource);
  pods.addIndex(byClaim, ({ metadata, spec }) =>
    (spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
      claim === undefined ? [] : [`${metadata.namespace}/${claim.claimName}`],
    ),
  );
  const tools: Tools = {
    pods,
    claims,
    volumes,
    drivers,
    events: createControllerEvents(context, 'selinux_warning'),
    users: new Map(),
    shown: metrics.gauge(
      'selinux_warning_controller_selinux_volume_conflict',
      '[ALPHA] Conflict between two Pods using the same volume',
    ),
  };
  return createReconciler(context, {
    failure: 'labels of volumes not compared',
    queue: 'selinux_warning',
    workers,
    reads: [pods, claims, volumes, drivers],
    subscribe(queue) {
      const enqueue = (pod: Pod) => queue.add(keyOf(pod));
      const enqueueUsers = (claim: string) => pods.store.byIndex(byClaim, claim).forEach(enqueue);
      const enqueueOfVolume = ({ spec }: PersistentVolume) => {
        if (spec.claimRef) enqueueUsers(`${spec.claimRef.namespace}/${spec.claimRef.name}`);
      };
      const enqueueOfDriver = ({ metadata: { name } }: CSIDriver) =>
        volumes.store
          .list()
          .filter(({ spec }) => spec.csi?.driver === name)
          .forEach(enqueueOfVolume);
      return [
        // What matters of its specification never changes.
        pods.addHandler({
          onAdd: enqueue,
          onUpdate: (pod, old) => pod.status?.phase !== old.status?.phase && enqueue(pod),
          onDelete: enqueue,
        }),
        claims.addHandler({
          onAdd: (claim) => enqueueUsers(keyOf(claim)),
          onUpdate: (claim) => enqueueUsers(keyOf(claim)),
        }),
        volumes.addHandler({ onAdd: enqueueOfVolume, onUpdate: enqueueOfVolume }),
        drivers.addHandler({
          onAdd: enqueueOfDriver,
          onUpdate: enqueueOfDriver,
          onDelete: enqueueOfDriver,
        }),
      ];
    },
    reconcile: async (key) => compare(tools, key),
  });
}

function compare(tools: Tools, key: string): void {
  const { namespace, name } = parseKey(key);
  const pod = tools.pods.store.get(namespace, name);
  const used = pod === undefined || isPodFinished(pod) ? new Map() : labellings(tools, pod);
  for (const [volume, users] of tools.users) if (users.has(key)) forget(tools, volume, key, used);
  for (const [volume, labelling] of used) note(tools, volume, key, labelling);
}

/** What the pod says of the volumes that others may use as well. */
function labellings(tools: Tools, pod: Pod): Map<string, VolumeLabelling> {
  const found = new Map<string, VolumeLabelling>();
  for (const volume of pod.spec.volumes ?? []) {
    const backing = backingOf(tools, pod, volume);
    if (backing === undefined) continue;
    const labelling = labellingOf(pod, volume.name, backing.supportsMount);
    if (labelling !== severalLabels) found.set(backing.id, labelling);
    else
      tools.events.record(eventTarget(podKind, pod), {
        type: 'Warning',
        reason: 'MultipleSELinuxLabels',
        message: `Volume ${JSON.stringify(volume.name)} is mounted twice with different SELinux labels inside this pod`,
      });
  }
  return found;
}

/** Undefined for what no other pod can use, or what is not bound yet. */
function backingOf({ claims, volumes, drivers }: Tools, { metadata }: Pod, volume: Volume) {
  const { claimName } = volume.persistentVolumeClaim ?? {};
  if (claimName === undefined) return undefined;
  const claim = claims.store.get(metadata.namespace ?? '', claimName);
  const bound = volumes.store.get('', claim?.spec.volumeName ?? '');
  if (bound === undefined) return undefined;
  const { csi, iscsi, fc } = bound.spec;
  if (csi === undefined)
    return {
      id: bound.metadata.name ?? '',
      supportsMount: iscsi !== undefined || fc !== undefined,
    };
  const supportsMount = drivers.store.get('', csi.driver)?.spec.seLinuxMount === true;
  return { id: `${csi.driver}^${csi.volumeHandle}`, supportsMount };
}

function forget(
  { users, shown }: Tools,
  volume: string,
  key: string,
  kept: ReadonlyMap<string, VolumeLabelling>,
): void {
  const ofVolume = users.get(volume);
  const before = ofVolume?.get(key);
  const next = kept.get(volume);
  if (ofVolume === undefined || before === undefined) return;
  if (next?.label === before.label && next.policy === before.policy) return;
  for (const conflict of bothSides(conflictsOf(key, ofVolume))) shown.remove(labelsOf(conflict));
  ofVolume.delete(key);
  if (ofVolume.size === 0) users.delete(volume);
}

/** Tells of what is new; what is known has been told. */
function note(tools: Tools, volume: string, key: string, labelling: VolumeLabelling): void {
  const { users, shown, events, pods } = tools;
  const ofVolume = users.get(volume) ?? new Map<string, VolumeLabelling>();
  if (ofVolume.has(key)) return;
  users.set(volume, ofVolume.set(key, labelling));
  for (const conflict of bothSides(conflictsOf(key, ofVolume))) {
    shown.set(labelsOf(conflict), 1);
    const { namespace, name } = parseKey(conflict.pod);
    const pod = pods.store.get(namespace, name);
    if (pod === undefined) continue;
    events.record(eventTarget(podKind, pod), {
      type: 'Normal',
      reason: `${conflict.property}Conflict`,
      message: describeConflict(conflict),
    });
  }
}

const bothSides = (conflicts: readonly Conflict[]): readonly Conflict[] =>
  conflicts.flatMap((conflict) => [conflict, reversed(conflict)]);

function labelsOf({ property, pod, value, other, otherValue }: Conflict) {
  const [one, two] = [parseKey(pod), parseKey(other)];
  return {
    property,
    pod1_namespace: one.namespace,
    pod1_name: one.name,
    pod1_value: value,
    pod2_namespace: two.namespace,
    pod2_name: two.name,
    pod2_value: otherValue,
  };
}
