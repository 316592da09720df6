// Admission around an update: mutation inside the storage loop, validation right before the write.
// An update that turns out to create is admitted as CREATE.

import type { KubeObject } from '@keelson/apimachinery';
import type { WriteOptions } from '../query-options.ts';
import { admissionAttributes, type ResourceRequest } from '../resource-request.ts';
import { optionsObject } from '../write-options.ts';

export interface UpdateAdmission {
  mutate(object: KubeObject, existing: KubeObject | undefined): Promise<KubeObject>;
  validate(object: KubeObject | undefined, existing: KubeObject | undefined): Promise<void>;
}

export function updateAdmission(request: ResourceRequest, options: WriteOptions): UpdateAdmission {
  const { admission } = request.services;
  const attributesFor = (object: KubeObject | undefined, existing: KubeObject | undefined) =>
    admissionAttributes(request, {
      operation: existing === undefined ? 'CREATE' : 'UPDATE',
      object,
      oldObject: existing,
      dryRun: options.dryRun,
      options: optionsObject(existing === undefined ? 'CreateOptions' : 'UpdateOptions', options),
    });
  return {
    async mutate(object, existing) {
      if (!admission.handles(existing === undefined ? 'CREATE' : 'UPDATE')) return object;
      const attributes = attributesFor(object, existing);
      await admission.mutate(attributes);
      return attributes.object ?? object;
    },
    async validate(object, existing) {
      if (admission.handles(existing === undefined ? 'CREATE' : 'UPDATE'))
        await admission.validate(attributesFor(object, existing));
    },
  };
}
