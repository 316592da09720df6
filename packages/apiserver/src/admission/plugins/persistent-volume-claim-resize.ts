// PersistentVolumeClaimResize: a claim may ask for more storage only when it is bound and its
// storage class, which it must name and must not change at the same time, has
// allowVolumeExpansion. Asking for less is the business of validation.

import { compareQuantities, readResourceList, zeroQuantity as zero } from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { StorageClass } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { ObjectSource } from '../../object-source.ts';
import { admissionForbidden, type AdmissionPlugin } from '../admission.ts';
import { asKind, handling, isMainResource } from '../request-match.ts';
import { storageClassOf } from '../storage-class-of-claim.ts';

const notExpandable =
  'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc ' +
  'must support resize';

export function createPersistentVolumeClaimResize(storageClasses: ObjectSource): AdmissionPlugin {
  const isExpandable = (claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean => {
    const className = storageClassOf(claim);
    if (className === '' || className !== storageClassOf(old)) return false;
    const storageClass = storageClasses.get('', className);
    if (storageClass === undefined) return false;
    return asKind<StorageClass>(storageClass).allowVolumeExpansion === true;
  };
  return {
    name: 'PersistentVolumeClaimResize',
    handles: handling('UPDATE'),
    validate(attributes) {
      if (!isMainResource(attributes, '', 'persistentvolumeclaims')) return;
      if (attributes.object === undefined || attributes.oldObject === undefined) return;
      const claim = asKind<PersistentVolumeClaim>(attributes.object);
      const old = asKind<PersistentVolumeClaim>(attributes.oldObject);
      if (compareQuantities(storageOf(claim), storageOf(old)) <= 0) return;
      if (old.status?.phase !== 'Bound')
        throw admissionForbidden(attributes, 'Only bound persistent volume claims can be expanded');
      if (!isExpandable(claim, old)) throw admissionForbidden(attributes, notExpandable);
    },
  };
}

function storageOf(claim: PersistentVolumeClaim) {
  return readResourceList(claim.spec.resources?.requests).get('storage') ?? zero;
}
