// StorageObjectInUseProtection: claims, volumes and (with the gate VolumeAttributesClass) volume
// attributes classes start with a finalizer, so that they stay while something uses them. Their
// protection controllers take it off again.

import type { Features } from '../../features/features.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import { handling } from '../request-match.ts';

export function createStorageObjectInUseProtection(features: Features): AdmissionPlugin {
  const finalizers: Record<string, string> = {
    '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
    '/persistentvolumes': 'kubernetes.io/pv-protection',
  };
  if (features.enabled('VolumeAttributesClass'))
    finalizers['storage.k8s.io/volumeattributesclasses'] = 'kubernetes.io/vac-protection';
  return {
    name: 'StorageObjectInUseProtection',
    handles: handling('CREATE'),
    mutate(attributes) {
      const finalizer = finalizers[`${attributes.gvr.group}/${attributes.gvr.resource}`];
      if (finalizer !== undefined && attributes.subresource === '')
        addFinalizer(attributes, finalizer);
    },
  };
}

function addFinalizer({ object }: AdmissionAttributes, finalizer: string): void {
  if (object === undefined) return;
  const present = object.metadata.finalizers ?? [];
  if (!present.includes(finalizer)) object.metadata.finalizers = [...present, finalizer];
}
