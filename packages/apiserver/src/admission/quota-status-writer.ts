// Writes what quotas use, straight into storage: the numbers are the server's own, so neither
// admission nor validation has a say. A quota that somebody else wrote since it was read is a
// conflict, never overwritten.

import { statusErrors, type KubeObject } from '@keelson/apimachinery';
import { interpretStorageError, optimisticLockMessage } from '../registry/storage-errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { QuotaStatusWriter } from './plugins/resource-quota/quota-batches.ts';

const resourceQuotas = { group: '', resource: 'resourcequotas' };
const keyPrefix = '/registry/resourcequotas';

export function createQuotaStatusWriter(storage: Storage): QuotaStatusWriter {
  return {
    async updateQuotaStatus(quota: KubeObject) {
      const { namespace, name = '', resourceVersion } = quota.metadata;
      try {
        await storage.guaranteedUpdate(`${keyPrefix}/${namespace}/${name}`, (current) => {
          if (current === undefined) throw statusErrors.notFound(resourceQuotas, name);
          if (current.object.metadata.resourceVersion !== resourceVersion)
            throw statusErrors.conflict(resourceQuotas, name, optimisticLockMessage);
          return { ...current.object, status: quota.status };
        });
      } catch (error) {
        throw interpretStorageError(error, resourceQuotas, name);
      }
    },
  };
}
