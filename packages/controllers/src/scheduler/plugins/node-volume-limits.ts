// A node attaches only so many volumes of a CSI driver, as its CSINode says: those of its pods, and
// what else is attached there.

import { classOf } from '../../persistent-volume-binder/match-volume.ts';
import { rejection, type SchedulerPlugin } from '../framework.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import { concernsClaimOf } from '../queue/cluster-event.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import { summarizePod, type PodSummary } from '../snapshot/pod-summary.ts';

const name = 'NodeVolumeLimits';
const exceeded = rejection(name, 'node(s) exceed max volume count');

type Lookup = Pick<ObjectLookup, 'claim' | 'volume' | 'storageClass' | 'csiNode' | 'attachments'>;

export function createNodeVolumeLimits(lookup: Lookup): SchedulerPlugin {
  return {
    name,
    begin(pod) {
      if (pod.claimNames.length === 0) return undefined;
      const wanted = attachedVolumes(lookup, [pod]);
      if (wanted.size === 0) return undefined;
      return { filter: (node) => (exceeds(lookup, node, wanted) ? exceeded : undefined) };
    },
    mayHelp: (pod, event) =>
      event.kind === 'csi-node' ||
      (event.kind === 'pod-deleted' && summarizePod(event.pod).claimNames.length > 0) ||
      event.kind === 'any' ||
      (event.kind === 'node' && event.old === undefined) ||
      (event.kind === 'object' &&
        event.resource === 'volumeattachments' &&
        event.isDeletion === true) ||
      concernsClaimOf(pod, event),
  };
}

/** Driver by volume; a claim whose volume is not there yet counts as one of its class's driver. */
function attachedVolumes(lookup: Lookup, pods: Iterable<PodSummary>): Map<string, string> {
  const volumes = new Map<string, string>();
  for (const { namespace, claimNames } of pods) {
    for (const claimName of claimNames) {
      const claim = lookup.claim(namespace, claimName);
      const volume = lookup.volume(claim?.spec?.volumeName ?? '');
      const csi = volume?.spec?.csi;
      if (csi !== undefined) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
      if (csi !== undefined || volume !== undefined || claim === undefined) continue;
      const { provisioner } = lookup.storageClass(classOf(claim)) ?? {};
      if (provisioner !== undefined)
        volumes.set(`${provisioner}/${namespace}/${claimName}`, provisioner);
    }
  }
  return volumes;
}

/** Those that are still attached, or already, whoever uses them. */
function addAttachments(lookup: Lookup, nodeName: string, volumes: Map<string, string>): void {
  for (const { spec } of lookup.attachments(nodeName)) {
    const { csi } = lookup.volume(spec.source.persistentVolumeName ?? '')?.spec ?? {};
    if (csi !== undefined) volumes.set(`${spec.attacher}/${csi.volumeHandle}`, spec.attacher);
  }
}

function exceeds(lookup: Lookup, node: NodeState, wanted: ReadonlyMap<string, string>): boolean {
  const { drivers } = lookup.csiNode(node.name)?.spec ?? {};
  const limits = new Map(
    (drivers ?? []).flatMap(({ name: driver, allocatable }): [string, number][] =>
      allocatable?.count === undefined ? [] : [[driver, allocatable.count]],
    ),
  );
  if (limits.size === 0) return false;
  const attached = attachedVolumes(lookup, node.pods.values());
  addAttachments(lookup, node.name, attached);
  const counts = new Map<string, number>();
  const count = (driver: string) => counts.set(driver, (counts.get(driver) ?? 0) + 1);
  for (const driver of attached.values()) count(driver);
  const added = new Set<string>();
  for (const [volume, driver] of wanted) {
    if (attached.has(volume)) continue;
    count(driver);
    added.add(driver);
  }
  return [...added].some((driver) => (counts.get(driver) ?? 0) > (limits.get(driver) ?? Infinity));
}
