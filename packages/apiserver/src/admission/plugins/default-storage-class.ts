// DefaultStorageClass: a new claim that names no storage class gets the default one. The empty name
// is a name (it means none), and so is the annotation volume.beta.kubernetes.io/storage-class. The
// default is the class that says so by annotation; of several the newest, then the first by name;
// without any the claim stays as it is.

import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { ObjectSource } from '../../object-source.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { newestByAnnotation } from '../default-class.ts';
import { asKind, handling, isMainResource } from '../request-match.ts';
import { betaStorageClassAnnotation } from '../storage-class-of-claim.ts';

const isDefaultKeys = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

export function createDefaultStorageClass(storageClasses: ObjectSource): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: handling('CREATE'),
    mutate(attributes) {
      if (!isMainResource(attributes, '', 'persistentvolumeclaims')) return;
      if (attributes.object === undefined) return;
      const claim = asKind<PersistentVolumeClaim>(attributes.object);
      if (claim.metadata.annotations?.[betaStorageClassAnnotation] !== undefined) return;
      const spec = (claim.spec ??= {});
      if (spec.storageClassName !== undefined) return;
      const byDefault = newestByAnnotation(storageClasses, isDefaultKeys);
      if (byDefault !== undefined) spec.storageClassName = byDefault.metadata.name ?? '';
    },
  };
}
