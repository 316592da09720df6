// Counts claims and the storage they request, in all and by storage class
// (`gold.storageclass.storage.k8s.io/requests.storage`). Storage is counted in whole bytes; while
// an expansion has allocated more than is requested now, that counts. With the gate
// VolumeAttributesClass claims can be in the scope of the attributes classes that they use or are
// changing to.

import {
  compareQuantities,
  type KubeObject,
  oneQuantity as one,
  type Quantity,
  readResourceList,
  roundUpQuantity,
} from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { asKind } from '../../request-match.ts';
import { storageClassOf } from '../../storage-class-of-claim.ts';
import { objectCountName, type QuotaEvaluator, type QuotaScope } from './evaluator.ts';
import { matchesSelector } from './scopes.ts';

const countName = objectCountName('', 'persistentvolumeclaims');
const plainNames = ['persistentvolumeclaims', 'requests.storage'];
const ofClass = '.storageclass.storage.k8s.io/';

export function createPersistentVolumeClaimEvaluator(features: Features): QuotaEvaluator {
  const countsAllocated = features.enabled('RecoverVolumeExpansionFailure');
  const knowsScope = features.enabled('VolumeAttributesClass');
  return {
    handles: ({ operation }) => operation === 'CREATE' || operation === 'UPDATE',
    matchingNames: (wanted) =>
      wanted.filter(
        (name) =>
          name === countName ||
          plainNames.some((plain) => name === plain || name.endsWith(ofClass + plain)),
      ),
    matchesScope: (scope, object) => knowsScope && isInScope(scope, asKind(object)),
    usage(object: KubeObject) {
      const claim = asKind<PersistentVolumeClaim>(object);
      const usage = new Map([[countName, one]]);
      const storage = storageOf(claim, countsAllocated);
      const storageClass = storageClassOf(claim);
      for (const [name, amount] of [
        ['persistentvolumeclaims', one],
        ['requests.storage', storage],
      ] as const) {
        if (amount === undefined) continue;
        usage.set(name, amount);
        if (storageClass !== '') usage.set(storageClass + ofClass + name, amount);
      }
      return usage;
    },
  };
}

function storageOf(claim: PersistentVolumeClaim, countsAllocated: boolean): Quantity | undefined {
  const requested = readResourceList(claim.spec.resources?.requests).get('storage');
  if (requested === undefined) return undefined;
  const allocated = readResourceList(claim.status?.allocatedResources).get('storage');
  const isMore = allocated !== undefined && compareQuantities(allocated, requested) > 0;
  return roundUpQuantity(countsAllocated && isMore ? allocated : requested, 0);
}

function isInScope(scope: QuotaScope, claim: PersistentVolumeClaim): boolean {
  if (scope.scopeName !== 'VolumeAttributesClass') return false;
  const named = [
    claim.spec.volumeAttributesClassName,
    claim.status?.currentVolumeAttributesClassName,
    claim.status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter((name) => name !== undefined && name !== '');
  if (named.length === 0) return matchesSelector(scope, undefined);
  return named.some((name) => matchesSelector(scope, name));
}
