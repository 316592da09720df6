// APIServices. What this server serves itself is available from the start; whether another server
// is reachable is found out by the aggregator.

import { findCondition, formatTime } from '@keelson/apimachinery';
import type { APIService } from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import { age } from '../../printing/cells.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { pathSegmentName } from '../../validation/names.ts';
import { validateApiService, validateApiServiceStatus } from './validation.ts';

type Service = APIService & { status?: NonNullable<APIService['status']> };

const servicePortDefault = 443;
/** Metadata that describes the object is not changed along with its status. */
const describingFields = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;

const status: SubresourceStrategy<Service> = {
  prepareForUpdate(object, old) {
    object.spec = old.spec;
    for (const field of describingFields) {
      delete object.metadata[field];
      if (old.metadata[field] !== undefined) {
        Object.assign(object.metadata, { [field]: old.metadata[field] });
      }
    }
  },
  validateUpdate: validateApiServiceStatus,
  resetFields: [['spec'], ['metadata', 'labels'], ['metadata', 'annotations']],
};

export const apiServiceStrategy: Strategy<Service> = {
  nameRule: pathSegmentName,
  applyDefaults({ spec }) {
    if (spec.service !== undefined) spec.service.port ??= servicePortDefault;
  },
  prepareForCreate(object, { nowMs }) {
    object.status = object.spec.service === undefined ? availableLocally(nowMs) : {};
  },
  validate: validateApiService,
  prepareForUpdate(object, old) {
    if (old.status === undefined) delete object.status;
    else object.status = old.status;
  },
  validateUpdate: validateApiService,
  allowUnconditionalUpdate: false,
  resetFields: [['status']],
  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    serverText(object),
    availabilityText(object),
    age(object, nowMs),
  ],
  subresources: { status },
};

function availableLocally(nowMs: number): NonNullable<Service['status']> {
  const condition = {
    type: 'Available',
    status: 'True',
    lastTransitionTime: formatTime(nowMs),
    reason: 'Local',
    message: 'Local APIServices are always available',
  };
  return { conditions: [condition] };
}

function serverText({ spec: { service } }: Service): string {
  return service === undefined ? 'Local' : `${service.namespace ?? ''}/${service.name ?? ''}`;
}

function availabilityText(object: Service): string {
  const condition = findCondition(object.status?.conditions, 'Available');
  if (condition === undefined) return 'Unknown';
  if (condition.status === 'True' || !condition.reason) return condition.status;
  return `${condition.status} (${condition.reason})`;
}
