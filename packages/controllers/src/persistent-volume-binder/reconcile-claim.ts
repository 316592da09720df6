// From a claim to its volume: an unbound claim looks for one, asks a provisioner for one or waits
// for the scheduler; a bound one is checked against the volume that it names.

import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { StorageClass } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { persistentVolumeClaimsResource } from '../machinery/resources.ts';
import { isPodTerminated } from '../pods/pod-state.ts';
import { usesClaim } from '../volumes/pod-claims.ts';
import { setClaimPhase, tellClaim, type BinderTools } from './binder-tools.ts';
import { bind } from './binding.ts';
import { classOf, hasClass, isKeptFor, matchVolume, mismatch } from './match-volume.ts';
import { markMigratedClaim } from './migration.ts';
import { provision } from './provision-claim.ts';
import {
  betaDefaultClass,
  bindCompleted,
  boundByController,
  defaultClass,
  selectedNode,
} from './volume-texts.ts';

export async function reconcileClaim(
  tools: BinderTools,
  known: PersistentVolumeClaim,
): Promise<void> {
  const claim = await markMigratedClaim(tools, known);
  if (claim.metadata.annotations?.[bindCompleted] !== undefined) return checkBound(tools, claim);
  if ((claim.spec?.volumeName ?? '') !== '') return bindNamed(tools, claim);
  const isDelayed = isBindingDelayed(tools, claim);
  const volume = matchVolume(claim, tools.volumes.store.list(), { isDelayed });
  if (volume !== undefined) return bind(tools, volume, claim);
  if (await giveDefaultClass(tools, claim)) return;
  if (isDelayed && claim.metadata.annotations?.[selectedNode] === undefined)
    tellClaim(tools, claim, delayText(tools, claim));
  else if (classOf(claim) !== '') return provision(tools, claim);
  else
    tellClaim(tools, claim, {
      type: 'Normal',
      reason: 'FailedBinding',
      message: 'no persistent volumes available for this claim and no storage class is set',
    });
  await setClaimPhase(tools, claim, 'Pending');
}

function isBindingDelayed({ classes }: BinderTools, claim: PersistentVolumeClaim): boolean {
  return classes.store.get('', classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
}

/** Somebody wants this volume and no other. */
async function bindNamed(tools: BinderTools, claim: PersistentVolumeClaim): Promise<void> {
  const { volumeName = '' } = claim.spec ?? {};
  const volume = tools.volumes.store.get('', volumeName);
  const { claimRef } = volume?.spec ?? {};
  const isTaken = claimRef !== undefined && volume !== undefined && !isKeptFor(volume, claim);
  if (volume === undefined || isTaken) {
    const named = JSON.stringify(volumeName);
    if (isTaken)
      tellClaim(tools, claim, {
        type: 'Warning',
        reason: 'FailedBinding',
        message: `volume ${named} already bound to a different claim.`,
      });
    if (isTaken && claim.metadata.annotations?.[boundByController] !== undefined)
      throw new Error(`volume ${named} is bound to another claim`);
    await setClaimPhase(tools, claim, 'Pending');
    return;
  }
  const problem = claimRef === undefined ? mismatch(volume, claim) : undefined;
  if (problem === undefined) return bind(tools, volume, claim);
  tellClaim(tools, claim, {
    type: 'Warning',
    reason: 'VolumeMismatch',
    message: `Cannot bind to requested volume ${JSON.stringify(volumeName)}: ${problem}`,
  });
  await setClaimPhase(tools, claim, 'Pending');
}

async function checkBound(tools: BinderTools, claim: PersistentVolumeClaim): Promise<void> {
  const { volumeName = '' } = claim.spec ?? {};
  const volume = tools.volumes.store.get('', volumeName);
  const claimRef = volume?.spec?.claimRef;
  if (volume !== undefined && (claimRef === undefined || claimRef.uid === claim.metadata.uid))
    return bind(tools, volume, claim);
  const text =
    volumeName === ''
      ? 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!'
      : volume === undefined
        ? 'Bound claim has lost its PersistentVolume. Data on the volume is lost!'
        : 'Two claims are bound to the same volume, this one is bound incorrectly';
  const reason = volume === undefined ? 'ClaimLost' : 'ClaimMisbound';
  if (claim.status?.phase !== 'Lost')
    tellClaim(tools, claim, { type: 'Warning', reason, message: text });
  await setClaimPhase(tools, claim, 'Lost');
}

/** A claim from before there was a default class gets it. */
async function giveDefaultClass(
  { context, classes, onDefaultClass }: BinderTools,
  claim: PersistentVolumeClaim,
): Promise<boolean> {
  if (hasClass(claim) || !context.isEnabled('RetroactiveDefaultStorageClass')) return false;
  const isDefault = ({ metadata: { annotations = {} } }: StorageClass) =>
    annotations[defaultClass] === 'true' || annotations[betaDefaultClass] === 'true';
  // The newest, as in admission.
  const order = ({ metadata: { creationTimestamp = '', name = '' } }: StorageClass) =>
    [-Date.parse(creationTimestamp), name] as const;
  const [found] = classes.store
    .list()
    .filter(isDefault)
    .toSorted((a, b) => {
      const [[bornA, nameA], [bornB, nameB]] = [order(a), order(b)];
      return bornA - bornB || (nameA < nameB ? -1 : 1);
    });
  if (found === undefined) return false;
  const storageClassName = found.metadata.name ?? '';
  let isGiven = false;
  try {
    await context.client
      .resource<PersistentVolumeClaim>(persistentVolumeClaimsResource)
      .namespace(claim.metadata.namespace ?? '')
      .update({ ...claim, spec: { ...claim.spec, storageClassName } });
    isGiven = true;
  } finally {
    onDefaultClass(isGiven);
  }
  return true;
}

function delayText({ pods }: BinderTools, { metadata }: PersistentVolumeClaim) {
  const waiting = pods.store
    .list(metadata.namespace ?? '')
    .filter((pod) => usesClaim(pod, metadata.name ?? '') && (pod.spec?.nodeName ?? '') === '')
    .filter((pod) => !isPodTerminated(pod))
    .map((pod) => pod.metadata.name ?? '')
    .toSorted();
  if (waiting.length === 0)
    return {
      type: 'Normal',
      reason: 'WaitForFirstConsumer',
      message: 'waiting for first consumer to be created before binding',
    } as const;
  const names = waiting.length === 1 ? `pod ${waiting[0]}` : `pods ${waiting.join(',')}`;
  const message = `waiting for ${names} to be scheduled`;
  return { type: 'Normal', reason: 'WaitForPodScheduled', message } as const;
}
