// Writes what was decided about the claims of a pod, and waits until their volumes are bound: a
// volume is promised to the claim, or the provisioner is told the node.

import { sleep, type Clock } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
} from '../../machinery/resources.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import { reaches } from './match-volume.ts';

export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed';
const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller';
const lookEveryMs = 100;

export interface VolumeDecision {
  readonly claim: PersistentVolumeClaim;
  /** Absent: it is to be provisioned. */
  readonly volume?: PersistentVolume;
}

export interface BindVolumesOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly lookup: Pick<ObjectLookup, 'claim' | 'volume'>;
}

export function isBound({ metadata, spec }: PersistentVolumeClaim): boolean {
  const isDone = metadata.annotations?.[bindCompletedAnnotation] !== undefined;
  return (spec?.volumeName ?? '') !== '' && isDone;
}

/** Throws when a claim goes away, is taken to another node, or is not bound in time. */
export async function bindVolumes(
  { client, clock, lookup }: BindVolumesOptions,
  {
    decisions,
    node,
    bindTimeoutMs,
  }: {
    readonly decisions: readonly VolumeDecision[];
    readonly node: NodeState;
    readonly bindTimeoutMs: number;
  },
  signal: AbortSignal,
): Promise<void> {
  for (const decision of decisions)
    await write(client, { ...decision, nodeName: node.name }, signal);
  const deadline = clock.monotonic() + bindTimeoutMs;
  for (const decision of decisions) {
    const isDone = watchClaim(lookup, decision, node);
    while (!isDone()) {
      if (clock.monotonic() > deadline) throw bindingError('context deadline exceeded');
      await sleep(clock, lookEveryMs, signal);
    }
  }
}

function bindingError(text: string): Error {
  return new Error(`binding volumes: ${text}`);
}

/** Asked again and again whether the claim is bound; throws when it will not be. */
function watchClaim(
  lookup: BindVolumesOptions['lookup'],
  { claim, volume }: VolumeDecision,
  node: NodeState,
): () => boolean {
  const { namespace = '', name = '', uid } = claim.metadata;
  let wasSelected = false;
  return () => {
    const now = lookup.claim(namespace, name);
    if (now === undefined || now.metadata.uid !== uid)
      throw bindingError(`persistentvolumeclaim "${name}" not found`);
    const { volumeName = '' } = now.spec ?? {};
    const made = lookup.volume(volumeName);
    if (made !== undefined && !reaches(made, node))
      throw bindingError(
        `pv "${volumeName}" node affinity doesn't match node "${node.name}": no matching NodeSelectorTerms`,
      );
    if (isBound(now)) return volume !== undefined || made !== undefined;
    // The provisioner takes the node back when it cannot serve it.
    const isSelected = now.metadata.annotations?.[selectedNodeAnnotation] === node.name;
    if (volume === undefined && wasSelected && !isSelected)
      throw bindingError(`provisioning failed for PVC "${name}"`);
    wasSelected = isSelected;
    return false;
  };
}

async function write(
  client: Client,
  { claim, volume, nodeName }: VolumeDecision & { readonly nodeName: string },
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '', uid = '', resourceVersion } = claim.metadata;
  if (volume === undefined) {
    const claims = client.resource<PersistentVolumeClaim>(persistentVolumeClaimsResource);
    const annotations = { ...claim.metadata.annotations, [selectedNodeAnnotation]: nodeName };
    const metadata = { ...claim.metadata, annotations };
    await claims.namespace(namespace).update({ ...claim, metadata }, { signal });
    return;
  }
  const volumes = client.resource<PersistentVolume>(persistentVolumesResource);
  const annotations = { ...volume.metadata.annotations, [boundByControllerAnnotation]: 'yes' };
  const claimRef = {
    kind: 'PersistentVolumeClaim',
    apiVersion: 'v1',
    namespace,
    name,
    uid,
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
  const metadata = { ...volume.metadata, annotations };
  await volumes.update({ ...volume, metadata, spec: { ...volume.spec, claimRef } }, { signal });
}
