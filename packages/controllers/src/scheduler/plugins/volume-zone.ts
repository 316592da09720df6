// Volumes that are labelled with a zone or region are used only there. COMPAT: those of ephemeral
// volumes are not looked at, and a claim that cannot be judged keeps the pod waiting, whatever node.

import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { classOf } from '../../persistent-volume-binder/match-volume.ts';
import { unresolvable, type Rejection, type SchedulerPlugin } from '../framework.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import { concernsClaimOf } from '../queue/cluster-event.ts';
import type { NodeState } from '../snapshot/node-state.ts';

const name = 'VolumeZone';
const wrongZone = unresolvable(name, 'node(s) had no available volume zone');
/** The label by which nodes have it now, by that of the volume. */
const topologyLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region': 'topology.kubernetes.io/region',
};

interface Topology {
  readonly label: string;
  /** `a__b` is a or b. */
  readonly values: readonly string[];
}

type Lookup = Pick<ObjectLookup, 'claim' | 'volume' | 'storageClass'>;

export function createVolumeZone(lookup: Lookup): SchedulerPlugin {
  return {
    name,
    begin({ pod, namespace }) {
      const topologies: Topology[] = [];
      for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
        if (persistentVolumeClaim === undefined) continue;
        const { claimName } = persistentVolumeClaim;
        const claim = lookup.claim(namespace, claimName);
        if (claim === undefined)
          return unresolvable(name, `persistentvolumeclaim "${claimName}" not found`);
        const found = topologiesOf(lookup, claim);
        if ('reasons' in found) return found;
        topologies.push(...found);
      }
      if (topologies.length === 0) return undefined;
      return { filter: (node) => (isIn(node, topologies) ? undefined : wrongZone) };
    },
    mayHelp: (pod, event) =>
      event.kind === 'any' ||
      (event.kind === 'node' && event.changed.has('labels')) ||
      (event.kind === 'object' &&
        event.isDeletion !== true &&
        ['persistentvolumes', 'storageclasses'].includes(event.resource)) ||
      concernsClaimOf(pod, event),
  };
}

/** Of its volume; none when that waits for a node. */
function topologiesOf(lookup: Lookup, claim: PersistentVolumeClaim): Topology[] | Rejection {
  const { volumeName = '' } = claim.spec ?? {};
  if (volumeName === '') {
    const className = classOf(claim);
    if (className === '')
      return unresolvable(name, 'PersistentVolumeClaim had no pv name and storageClass name');
    const storageClass = lookup.storageClass(className);
    if (storageClass === undefined)
      return unresolvable(name, `storageclass.storage.k8s.io "${className}" not found`);
    if (storageClass.volumeBindingMode === 'WaitForFirstConsumer') return [];
    return unresolvable(name, 'PersistentVolume had no name');
  }
  const volume = lookup.volume(volumeName);
  if (volume === undefined) return unresolvable(name, `persistentvolume "${volumeName}" not found`);
  const { labels = {} } = volume.metadata;
  return Object.keys(topologyLabels).flatMap((label) => {
    const value = labels[label];
    return value === undefined ? [] : [{ label, values: value.split('__') }];
  });
}

/** A node that says nothing of zones is in none, and in all. */
function isIn({ labels }: NodeState, topologies: readonly Topology[]): boolean {
  if (!Object.keys(topologyLabels).some((label) => Object.hasOwn(labels, label))) return true;
  return topologies.every(({ label, values }) => {
    const value = labels[label] ?? labels[topologyLabels[label] ?? ''];
    return value !== undefined && values.includes(value);
  });
}
