// Volumes that are labelled with a zone or region are used only there.

import { unresolvable, type SchedulerPlugin } from '../framework.ts';
import type { ObjectLookup } from '../object-lookup.ts';
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

export function createVolumeZone(lookup: Pick<ObjectLookup, 'claim' | 'volume'>): SchedulerPlugin {
  return {
    name,
    begin(pod) {
      const topologies = pod.claimNames.flatMap((claimName): Topology[] => {
        const volumeName = lookup.claim(pod.namespace, claimName)?.spec?.volumeName;
        const { labels = {} } = lookup.volume(volumeName ?? '')?.metadata ?? {};
        return Object.keys(topologyLabels).flatMap((label) => {
          const value = labels[label];
          return value === undefined ? [] : [{ label, values: value.split('__') }];
        });
      });
      if (topologies.length === 0) return undefined;
      return { filter: (node) => (isIn(node, topologies) ? undefined : wrongZone) };
    },
    mayHelp: (_pod, event) =>
      event.kind === 'any' ||
      event.kind === 'node' ||
      (event.kind === 'object' && event.resource.startsWith('persistentvolume')),
  };
}

/** A node that says nothing of zones is in none, and in all. */
function isIn({ labels }: NodeState, topologies: readonly Topology[]): boolean {
  if (!Object.keys(topologyLabels).some((label) => Object.hasOwn(labels, label))) return true;
  return topologies.every(({ label, values }) => {
    const value = labels[label] ?? labels[topologyLabels[label] ?? ''];
    return value !== undefined && values.includes(value);
  });
}
