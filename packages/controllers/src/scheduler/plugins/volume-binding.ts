// The claims of a pod must be usable on its node: volumes that are bound reach it, and for claims
// that wait for their first consumer there is a volume, or one can be made.

import type { Clock } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
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
          const decided = { decisions, nodeName: node.name, bindTimeoutMs };
          await bindVolumes(options, decided, signal);
          release();
        },
        unreserve: release,
      };
    },
    mayHelp: (_pod, event) =>
      ['any', 'node', 'csi-node'].includes(event.kind) ||
      (event.kind === 'object' && !['resourceclaims', 'namespaces'].includes(event.resource)),
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
    else if (isWaiting(lookup, claim)) waiting.push(claim);
    else hasImmediate = true;
  }
  return hasImmediate ? unboundImmediate : { bound, waiting };
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

function isWaiting({ storageClass }: ObjectLookup, { spec }: PersistentVolumeClaim): boolean {
  if ((spec?.volumeName ?? '') !== '') return false;
  const { volumeBindingMode } = storageClass(spec?.storageClassName ?? '') ?? {};
  return volumeBindingMode === 'WaitForFirstConsumer';
}

interface RunState extends PodClaims {
  readonly promised: ReadonlySet<string>;
  readonly attempt: Attempt;
}

function runOf(lookup: ObjectLookup, state: RunState): FilterRun {
  const { bound, attempt } = state;
  const volumes = bound.map(({ spec }) => lookup.volume(spec?.volumeName ?? ''));
  const isLost = volumes.includes(undefined);
  return {
    filter(node) {
      if (isLost) return unresolvable(name, texts.lost);
      const reasons: string[] = [];
      if (!volumes.every((volume) => volume === undefined || reaches(volume, node)))
        reasons.push(texts.affinity);
      const decided = decide(lookup, state, node);
      if (Array.isArray(decided)) attempt.decisions.set(node.name, decided);
      else reasons.push(...decided.reasons);
      return reasons.length === 0 ? undefined : unresolvable(name, ...reasons);
    },
  };
}

type Undecided = { readonly reasons: readonly string[] };

/** A volume for each waiting claim, or that it is to be provisioned. */
function decide(
  lookup: ObjectLookup,
  { waiting, promised }: RunState,
  node: NodeState,
): VolumeDecision[] | Undecided {
  const decisions: VolumeDecision[] = [];
  const taken = new Set<string>();
  const isTaken = (volume: string) => taken.has(volume) || promised.has(volume);
  let lacksSpace = false;
  for (const claim of waiting) {
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
    if (selected !== undefined && selected !== node.name) return { reasons: [texts.conflict] };
    const volumes = lookup.volumesOfClass(claim.spec?.storageClassName ?? '');
    const volume: PersistentVolume | undefined =
      selected === undefined ? matchVolume(volumes, claim, { node, isTaken }) : undefined;
    if (volume !== undefined) {
      taken.add(volume.metadata.name ?? '');
      decisions.push({ claim, volume });
      continue;
    }
    const provision = canProvision(lookup, claim, node);
    if (provision === 'no') return { reasons: [texts.conflict] };
    if (provision === 'no-space') lacksSpace = true;
    decisions.push({ claim });
  }
  return lacksSpace ? { reasons: [texts.space] } : decisions;
}
