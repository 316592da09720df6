// CSIStorageCapacities: how much room a driver has for a class on some nodes.

import type { FieldError } from '@keelson/apimachinery';
import type { CSIStorageCapacity } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { nameAndCreation } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { conforms, immutable } from '../../validation/checks.ts';
import { labelSelector } from '../../validation/labels.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { nonNegativeQuantity } from '../../validation/resource-names.ts';

export const csiStorageCapacityStrategy: Strategy<CSIStorageCapacity> = {
  validate: validateCapacity,
  validateUpdate(capacity, old) {
    const errors = validateCapacity(capacity);
    immutable(errors, 'nodeTopology', [capacity.nodeTopology, old.nodeTopology]);
    immutable(errors, 'storageClassName', [capacity.storageClassName, old.storageClassName]);
    return errors;
  },
  allowUnconditionalUpdate: false,
  tableCells: nameAndCreation,
};

function validateCapacity(object: CSIStorageCapacity): FieldError[] {
  const errors: FieldError[] = [];
  const { nodeTopology, storageClassName, capacity, maximumVolumeSize } = object;
  labelSelector(errors, 'nodeTopology', nodeTopology);
  conforms(errors, 'storageClassName', storageClassName, dns1123Subdomain);
  if (capacity !== undefined) nonNegativeQuantity(errors, 'capacity', capacity);
  if (maximumVolumeSize !== undefined) {
    nonNegativeQuantity(errors, 'maximumVolumeSize', maximumVolumeSize);
  }
  return errors;
}
