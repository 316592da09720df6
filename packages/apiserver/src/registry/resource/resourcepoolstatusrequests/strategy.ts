// ResourcePoolStatusRequests: a question about the pools of a driver, answered once in the status by
// a controller (KEP-5677). Neither question nor answer changes afterwards.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  PoolStatus,
  ResourcePoolStatusRequest,
} from '@keelson/apimachinery/types/resource.k8s.io.v1alpha3';
import { noneText, since } from '../../printing/cells.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { keepMetadata } from '../../status-metadata.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { atMost, immutable, nonNegative, required, type Errors } from '../../validation/checks.ts';
import { conditions } from '../../validation/conditions.ts';
import { driverName, poolName } from '../device-names.ts';

const specType = 'io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestSpec';
const limitRange = [1, 1000] as const;
const limitDefault = 100;
const poolsMax = 1000;

const status: SubresourceStrategy<ResourcePoolStatusRequest> = {
  prepareForUpdate(request, old) {
    request.spec = old.spec;
    keepMetadata(request, old);
  },
  validateUpdate: validateStatus,
  resetFields: [['metadata'], ['spec']],
};

export const resourcePoolStatusRequestStrategy: Strategy<ResourcePoolStatusRequest> = {
  applyDefaults({ spec }) {
    spec.limit ??= limitDefault;
  },
  prepareForCreate(request) {
    delete request.status;
  },
  prepareForUpdate(request, old) {
    if (old.status === undefined) delete request.status;
    else request.status = old.status;
  },
  validate: validateRequest,
  validateUpdate({ spec }, old) {
    const errors: Errors = [];
    const shown = (of: unknown) => internalValue(specType, of);
    immutable(errors, 'spec', [shown(spec), shown(old.spec)]);
    return errors;
  },
  allowUnconditionalUpdate: true,
  returnDeletedObject: true,
  tableCells: rowOf,
  resetFields: [['status']],
  subresources: { status },
};

function validateRequest({ spec }: ResourcePoolStatusRequest): FieldError[] {
  const errors: Errors = [];
  driverName(errors, 'spec.driver', spec.driver);
  if (spec.poolName !== undefined) poolName(errors, 'spec.poolName', spec.poolName);
  const { limit } = spec;
  const [min, max] = limitRange;
  if (limit !== undefined && limit < min)
    errors.push(fieldError.invalid('spec.limit', limit, `must be greater than or equal to ${min}`));
  if (limit !== undefined && limit > max)
    errors.push(fieldError.invalid('spec.limit', limit, `must be less than or equal to ${max}`));
  return errors;
}

function validateStatus(
  { status: now }: ResourcePoolStatusRequest,
  { status: before }: ResourcePoolStatusRequest,
): FieldError[] {
  const errors: Errors = [];
  if (before !== undefined) {
    immutable(errors, 'status', [now, before]);
    return errors;
  }
  if (now === undefined) return errors;
  conditions(errors, 'status.conditions', now.conditions);
  if (now.poolCount === undefined) errors.push(fieldError.required('status.poolCount'));
  else nonNegative(errors, 'status.poolCount', now.poolCount);
  if (!atMost(errors, 'status.pools', now.pools, poolsMax)) return errors;
  now.pools?.forEach((pool, i) => validatePool(errors, `status.pools[${i}]`, pool));
  return errors;
}

const counts = [
  'resourceSliceCount',
  'totalDevices',
  'allocatedDevices',
  'availableDevices',
  'unavailableDevices',
] as const;

function validatePool(errors: Errors, path: string, pool: PoolStatus): void {
  if (required(errors, `${path}.driver`, pool.driver))
    driverName(errors, `${path}.driver`, pool.driver);
  poolName(errors, `${path}.poolName`, pool.poolName ?? '');
  nonNegative(errors, `${path}.generation`, pool.generation);
  for (const field of counts) nonNegative(errors, `${path}.${field}`, pool[field]);
}

/** `-` for devices that were not counted: there is no answer yet, or there was none to give. */
function rowOf({ metadata, spec, status: now }: ResourcePoolStatusRequest, nowMs: number) {
  const pools = now?.pools ?? [];
  const found = now?.poolCount ?? 0;
  const done = now?.conditions?.find(
    ({ type, status: value }) => value === 'True' && (type === 'Complete' || type === 'Failed'),
  );
  const isCut = done?.type === 'Complete' && found > pools.length;
  const isCounted = now !== undefined && done?.type !== 'Failed';
  const sum = (field: (typeof counts)[number]) =>
    isCounted ? pools.reduce((total, pool) => total + (pool[field] ?? 0), 0) : '-';
  return [
    metadata.name ?? '',
    spec.driver,
    sum('totalDevices'),
    sum('availableDevices'),
    sum('allocatedDevices'),
    sum('unavailableDevices'),
    isCounted ? pools.filter((pool) => pool.validationError !== undefined).length : '-',
    found,
    isCut ? `Complete (${pools.length}/${found} pools)` : (done?.type ?? 'Pending'),
    done?.type === 'Complete' ? since(done.lastTransitionTime, nowMs) : noneText,
  ];
}
