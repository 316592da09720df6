// ResourceQuotas. Usage is counted by admission and the quota controller.

import type { ResourceQuota } from '@keelson/apimachinery/types/core.v1';
import { age } from '../../printing/cells.ts';
import { roundUpResources } from '../pod-spec/defaults.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import {
  validateResourceQuota,
  validateResourceQuotaStatus,
  validateResourceQuotaUpdate,
} from './validation.ts';

const status: SubresourceStrategy<ResourceQuota> = {
  prepareForUpdate(quota, old) {
    quota.spec = old.spec;
  },
  validateUpdate: validateResourceQuotaStatus,
  resetFields: [['spec']],
};

export const resourceQuotaStrategy: Strategy<ResourceQuota> = {
  applyDefaults({ spec, status: now }) {
    for (const list of [spec?.hard, now?.hard, now?.used]) if (list) roundUpResources(list);
  },
  prepareForCreate(quota) {
    quota.status = {};
  },
  prepareForUpdate(quota, old) {
    if (old.status) quota.status = old.status;
  },
  validate: validateResourceQuota,
  validateUpdate: validateResourceQuotaUpdate,
  returnDeletedObject: true,
  tableCells(quota, nowMs) {
    const resources = Object.keys(quota.status?.hard ?? {}).sort();
    const usage = (isLimit: boolean) =>
      resources
        .filter((name) => name.startsWith('limits.') === isLimit)
        .map((name) => usageOf(quota, name))
        .join(', ');
    return [quota.metadata.name, usage(false), usage(true), age(quota, nowMs)];
  },
  resetFields: [['status']],
  subresources: { status },
};

function usageOf({ status }: ResourceQuota, name: string): string {
  return `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name] ?? '0'}`;
}
