// The claims of a pod must be usable on its node: volumes that are bound reach it, and for claims
// that wait for their first consumer there is a volume, or one can be made.

import { compareQuantities, parseQuantity, type Clock } from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { classOf } from '../../persistent-volume-binder/match-volume.ts';
import {
  defaultArguments,
  type PluginArguments,
} from '../configuration/scheduler-configuration.ts';
import {
  unresolvable,
  type FilterRun,
  type Rejection,
  type SchedulerPlugin,
} from '../framework.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import { concernsClaimOf, type WatchedResource } from '../queue/cluster-event.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import {
  bindVolumes,
  isBound,
  selectedNodeAnnotation,
  type VolumeDecision,
} from '../volumes/bind-volumes.ts';
import { matchVolume, reaches } from '../volumes/match-volume.ts';
import { canProvision } from '../volumes/provision-on-node.ts';

export interface VolumeBindingOptions {
  readonly lookup: ObjectLookup;
  readonly client: Client;
  readonly clock: Clock;
  /** Volumes that are promised to a claim and not written yet; all profiles share them. */
  readonly promised?: Set<string>;
  readonly args?: PluginArguments['VolumeBinding'];
}

const name = 'VolumeBinding';
const unboundImmediate = unresolvable(name, 'pod has unbound immediate PersistentVolumeClaims');
const texts = {
  lost: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
  affinity: "node(s) didn't match PersistentVolume's node affinity",
  conflict: "node(s) didn't find available persistent volumes to bind",
  space: 'node(s) did not have enough free storage',
} as const;

/** Changes of these may make volumes fit, whoever asks for them. */
const helpful: ReadonlySet<WatchedResource> = new Set<WatchedResource>([
  'persistentvolumes',
  'storageclasses',
  'csidrivers',
  'csistoragecapacities',
]);

interface Attempt {
  readonly uid: string;
  readonly decisions: Map<string, readonly VolumeDecision[]>;
}

export function createVolumeBinding(options: VolumeBindingOptions): SchedulerPlugin {
  const { lookup, promised = new Set(), args = defaultArguments.VolumeBinding } = options;
  let attempt: Attempt | undefined;
  return {
    name,
    begin(pod) {
      attempt = undefined;
      if (pod.claimNames.length === 0) return undefined;
      const claims = claimsOf(lookup, pod);
      if ('reasons' in claims) return claims;
      attempt = { uid: pod.uid, decisions: new Map() };
      return runOf(lookup, { ...claims, promised, attempt });
    },
    reserve(pod, node) {
      const decisions = attempt?.uid === pod.uid ? attempt.decisions.get(node.name) : undefined;
      if (decisions === undefined || decisions.length === 0) return undefined;
      const names = decisions.flatMap(({ volume }) => volume?.metadata.name ?? []);
      for (const volume of names) promised.add(volume);
      const release = () => names.forEach((volume) => promised.delete(volume));
      return {
        async preBind(signal) {
          const { bindTimeoutMs } = args;
          const decided = { decisions, node, bindTimeoutMs };
          await bindVolumes(options, decided, signal);
          release();
        },
        unreserve: release,
      };
    },
    mayHelp: (pod, event) =>
      ['any', 'csi-node'].includes(event.kind) ||
      (event.kind === 'node' && event.changed.has('labels')) ||
      (event.kind === 'object' && event.isDeletion !== true && helpful.has(event.resource)) ||
      concernsClaimOf(pod, event),
  };
}

interface PodClaims {
  readonly bound: readonly PersistentVolumeClaim[];
  /** Wait for the node of their first consumer. */
  readonly waiting: readonly PersistentVolumeClaim[];
}

function claimsOf(lookup: ObjectLookup, pod: PodSummary): PodClaims | Rejection {
  const bound: PersistentVolumeClaim[] = [];
  const waiting: PersistentVolumeClaim[] = [];
  let hasImmediate = false;
  for (const { ephemeral, name: volumeName, persistentVolumeClaim } of pod.pod.spec.volumes ?? []) {
    const isEphemeral = ephemeral !== undefined;
    const claimName = isEphemeral ? `${pod.name}-${volumeName}` : persistentVolumeClaim?.claimName;
    if (claimName === undefined) continue;
    const claim = lookup.claim(pod.namespace, claimName);
    const problem = problemOf(pod, { claim, claimName, isEphemeral });
    if (problem !== undefined || claim === undefined) return unresolvable(name, problem ?? '');
    if (isBound(claim)) bound.push(claim);
    else if (!isWaiting(lookup, claim)) hasImmediate = true;
    else if (!waiting.includes(claim)) waiting.push(claim);
  }
  return hasImmediate ? unboundImmediate : { bound, waiting: waiting.toSorted(bySize) };
}

function problemOf(
  pod: PodSummary,
  {
    claim,
    claimName,
    isEphemeral,
  }: {
    readonly claim: PersistentVolumeClaim | undefined;
    readonly claimName: string;
    readonly isEphemeral: boolean;
  },
): string | undefined {
  if (claim === undefined) {
    return isEphemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${claimName}"`
      : `persistentvolumeclaim "${claimName}" not found`;
  }
  const { deletionTimestamp, ownerReferences = [] } = claim.metadata;
  if (claim.status?.phase === 'Lost') {
    const volume = claim.spec?.volumeName ?? '';
    return `persistentvolumeclaim "${claimName}" bound to non-existent persistentvolume "${volume}"`;
  }
  if (deletionTimestamp !== undefined)
    return `persistentvolumeclaim "${claimName}" is being deleted`;
  const isOwner = ownerReferences.some(
    ({ uid, controller }) => uid === pod.uid && controller === true,
  );
  if (!isEphemeral || isOwner) return undefined;
  return `PVC ${pod.namespace}/${claimName} was not created for pod ${pod.namespace}/${pod.name} (pod is not owner)`;
}

function isWaiting({ storageClass }: ObjectLookup, claim: PersistentVolumeClaim): boolean {
  if ((claim.spec?.volumeName ?? '') !== '') return false;
  return storageClass(classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
}

interface RunState extends PodClaims {
  readonly promised: ReadonlySet<string>;
  readonly attempt: Attempt;
}

function runOf(lookup: ObjectLookup, state: RunState): FilterRun {
  const { bound, attempt } = state;
  const volumes = bound.map(({ spec }) => lookup.volume(spec?.volumeName ?? ''));
  return {
    filter(node) {
      // The first that is of no use here says why.
      const wrong = volumes.findIndex((volume) => volume === undefined || !reaches(volume, node));
      const isLost = wrong >= 0 && volumes[wrong] === undefined;
      const decided = decide(lookup, state, node);
      if (typeof decided !== 'string') attempt.decisions.set(node.name, decided);
      const reasons = [
        ...(wrong >= 0 && !isLost ? [texts.affinity] : []),
        ...(typeof decided === 'string' ? [decided] : []),
        ...(isLost ? [texts.lost] : []),
      ];
      return reasons.length === 0 ? undefined : unresolvable(name, ...reasons);
    },
  };
}

/** A volume for each waiting claim, or that it is to be provisioned; the text says why neither. */
function decide(
  lookup: ObjectLookup,
  { waiting, promised }: RunState,
  node: NodeState,
): VolumeDecision[] | string {
  const decisions: VolumeDecision[] = [];
  const taken = new Set<string>();
  const isTaken = (volume: string) => taken.has(volume) || promised.has(volume);
  // What a provisioner was told already stands.
  const toProvision = waiting.filter((claim) => selectedNodeOf(claim) !== undefined);
  if (toProvision.some((claim) => selectedNodeOf(claim) !== node.name)) return texts.conflict;
  for (const claim of waiting) {
    if (selectedNodeOf(claim) !== undefined) continue;
    const volumes = lookup.volumesOfClass(classOf(claim));
    const volume = matchVolume(volumes, claim, { node, isTaken });
    if (volume === undefined) {
      toProvision.push(claim);
      continue;
    }
    taken.add(volume.metadata.name ?? '');
    decisions.push({ claim, volume });
  }
  for (const claim of toProvision) {
    const provision = canProvision(lookup, claim, node);
    if (provision !== 'yes') return provision === 'no' ? texts.conflict : texts.space;
    decisions.push({ claim });
  }
  return decisions;
}

function selectedNodeOf({ metadata }: PersistentVolumeClaim): string | undefined {
  return metadata.annotations?.[selectedNodeAnnotation];
}

/** Small claims are served first, so that large volumes stay for large ones. */
function bySize(a: PersistentVolumeClaim, b: PersistentVolumeClaim): number {
  const size = ({ spec }: PersistentVolumeClaim) =>
    parseQuantity(spec?.resources?.requests?.['storage'] ?? '0');
  return compareQuantities(size(a), size(b));
}
