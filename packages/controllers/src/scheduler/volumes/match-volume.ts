// The persistent volume that fits a claim on a node: of its class, large enough, free, and the
// smallest of those; one that was made for the claim comes first.

import { compareQuantities, compileLabelSelector, parseQuantity } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { compileNodeSelector } from '../snapshot/node-selector.ts';
import type { NodeState } from '../snapshot/node-state.ts';

export function reaches({ spec }: PersistentVolume, node: NodeState): boolean {
  const required = spec?.nodeAffinity?.required;
  return required === undefined || compileNodeSelector(required)(node);
}

export function matchVolume(
  volumes: readonly PersistentVolume[],
  claim: PersistentVolumeClaim,
  { node, isTaken }: { readonly node: NodeState; readonly isTaken: (name: string) => boolean },
): PersistentVolume | undefined {
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (isTaken(volume.metadata.name ?? '') || !fits(volume, claim) || !reaches(volume, node))
      continue;
    if (isFor(volume, claim)) return volume;
    if (volume.spec?.claimRef !== undefined || volume.status?.phase !== 'Available') continue;
    if (best === undefined || compareQuantities(capacityOf(volume), capacityOf(best)) < 0)
      best = volume;
  }
  return best;
}

function capacityOf({ spec }: PersistentVolume) {
  return parseQuantity(spec?.capacity?.['storage'] ?? '0');
}

function isFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { name, namespace, uid = '' } = spec?.claimRef ?? {};
  const isNamed = name === metadata.name && namespace === metadata.namespace;
  return isNamed && (uid === '' || uid === metadata.uid);
}

function fits(volume: PersistentVolume, { spec }: PersistentVolumeClaim): boolean {
  const { accessModes = [], volumeMode = 'Filesystem', selector, resources } = spec ?? {};
  const offered = volume.spec;
  if (volume.metadata.deletionTimestamp !== undefined) return false;
  if ((offered?.volumeMode ?? 'Filesystem') !== volumeMode) return false;
  if ((offered?.volumeAttributesClassName ?? '') !== (spec?.volumeAttributesClassName ?? ''))
    return false;
  if (!accessModes.every((mode) => offered?.accessModes?.includes(mode))) return false;
  const wanted = parseQuantity(resources?.requests?.['storage'] ?? '0');
  if (compareQuantities(capacityOf(volume), wanted) < 0) return false;
  return selector === undefined || compileLabelSelector(selector).matches(volume.metadata.labels);
}
