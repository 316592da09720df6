// Services. Allocation of addresses and ports needs the cluster and is added where the server is
// put together: `createServiceStrategy(allocators)`.

import { copyJson } from '@keelson/apimachinery';
import type { Service } from '@keelson/apimachinery/types/core.v1';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { nameIsDns1123Label } from '../../validation/names.ts';
import { createServiceAllocation, type ServiceAllocators } from './allocation.ts';
import { applyServiceDefaults } from './defaults.ts';
import { serviceCells } from './table.ts';
import { dropFieldsOfOtherTypes } from './type-transition.ts';
import { validateServiceStatus, validateServiceUpdate } from './update-validation.ts';
import { validateService } from './validation.ts';
import { serviceWarnings } from './warnings.ts';

const status: SubresourceStrategy<Service> = {
  prepareForUpdate(service, old) {
    service.spec = copyJson(old.spec);
  },
  validateUpdate: (service, old, { features }) => validateServiceStatus(service, old, features),
  resetFields: [['spec']],
};

export const serviceStrategy: Strategy<Service> = {
  applyDefaults: applyServiceDefaults,
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
  },
  validate: (service, { features }) => validateService(service, undefined, features),
  warningsOnCreate: serviceWarnings,
  prepareForUpdate(service, old) {
    service.status = copyJson(old.status);
    dropFieldsOfOtherTypes(service, old);
  },
  validateUpdate: (service, old, { features }) => validateServiceUpdate(service, old, features),
  warningsOnUpdate: serviceWarnings,
  // Relaxed from DNS-1035 labels in 1.36 (KEP-5311).
  nameRule: nameIsDns1123Label,
  allowCreateOnUpdate: true,
  returnDeletedObject: true,
  tableCells: serviceCells,
  fieldValues: ({ spec }) => ({
    'spec.clusterIP': spec.clusterIP ?? '',
    'spec.type': spec.type ?? '',
  }),
  resetFields: [['status']],
  subresources: { status },
};

/** The strategy with allocation of cluster IPs and node ports. */
export function createServiceStrategy(allocators: ServiceAllocators): Strategy<Service> {
  return { ...serviceStrategy, ...createServiceAllocation(allocators) };
}
