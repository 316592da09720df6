// Validation of LimitRanges: known types once each, known resources, and bounds in the right order.

import {
  compareQuantities,
  fieldError,
  parseQuantity,
  quantityToNumber,
  type FieldError,
} from '@keelson/apimachinery';
import type { LimitRange, LimitRangeItem } from '@keelson/apimachinery/types/core.v1';
import { conforms } from '../../validation/checks.ts';
import { qualifiedName } from '../../validation/names.ts';
import {
  containerResourceName,
  isOvercommitAllowed,
  resourceName,
} from '../../validation/resource-names.ts';

const standardTypes = ['Pod', 'Container', 'PersistentVolumeClaim'];

export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  spec.limits?.forEach((item, i) => {
    const path = `spec.limits[${i}]`;
    checkType(errors, `${path}.type`, item.type);
    if (seen.has(item.type)) errors.push(fieldError.duplicate(`${path}.type`, item.type));
    seen.add(item.type);
    checkNames(errors, path, item);
    for (const name of resourcesOf(item)) checkOrder(errors, path, [item, name]);
  });
  return errors;
}

function checkType(errors: FieldError[], path: string, type: string): void {
  if (!conforms(errors, path, type, qualifiedName)) return;
  if (type.includes('/') || standardTypes.includes(type)) return;
  const why = 'must be a standard limit type or fully qualified';
  errors.push(fieldError.invalid(path, type, why));
}

type Bound = 'max' | 'min' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio';

function checkNames(errors: FieldError[], path: string, item: LimitRangeItem): void {
  const rule =
    item.type === 'Pod' || item.type === 'Container' ? containerResourceName : resourceName;
  const check = (bound: Bound) => {
    for (const name in item[bound]) rule(errors, `${path}.${bound}[${name}]`, name);
  };
  check('max');
  check('min');
  for (const bound of ['default', 'defaultRequest'] as const) {
    if (item.type !== 'Pod') check(bound);
    else if (Object.keys(item[bound] ?? {}).length > 0) {
      const why = "may not be specified when `type` is 'Pod'";
      errors.push(fieldError.forbidden(`${path}.${bound}`, why));
    }
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.['storage'] && !item.max?.['storage']) {
    const why = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(fieldError.required(`${path}.limits`, why));
  }
  check('maxLimitRequestRatio');
}

function resourcesOf(item: LimitRangeItem): string[] {
  const maps = [item.max, item.min, item.maxLimitRequestRatio];
  if (item.type !== 'Pod') maps.push(item.default, item.defaultRequest);
  return [...new Set(maps.flatMap((map) => Object.keys(map ?? {})))].sort();
}

function checkOrder(
  errors: FieldError[],
  path: string,
  [item, name]: readonly [LimitRangeItem, string],
): void {
  const isPod = item.type === 'Pod';
  const [min, max] = [item.min?.[name], item.max?.[name]];
  const limit = isPod ? undefined : item.default?.[name];
  const request = isPod ? undefined : item.defaultRequest?.[name];
  const atMost = (
    [low, high]: readonly [string | undefined, string | undefined],
    [bound, shown]: readonly [Bound, string | undefined],
    [lowName, highName]: readonly [string, string],
  ) => {
    if (low === undefined || high === undefined || !isGreater(low, high)) return;
    const why = `${lowName} value ${low} is greater than ${highName} value ${high}`;
    errors.push(fieldError.invalid(`${path}.${bound}[${name}]`, shown, why));
  };
  atMost([min, max], ['min', min], ['min', 'max']);
  atMost([min, request], ['defaultRequest', request], ['min', 'default request']);
  atMost([request, max], ['defaultRequest', request], ['default request', 'max']);
  atMost([request, limit], ['defaultRequest', request], ['default request', 'default limit']);
  atMost([min, limit], ['default', limit], ['min', 'default']);
  atMost([limit, max], ['default', max], ['default', 'max']);
  checkRatio(errors, `${path}.maxLimitRequestRatio[${name}]`, [
    item.maxLimitRequestRatio?.[name],
    min,
    max,
  ]);
  if (!isOvercommitAllowed(name) && limit && request && compare(limit, request) !== 0) {
    const why = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    errors.push(fieldError.invalid(`${path}.defaultRequest[${name}]`, request, why));
  }
}

/** A limit may be at most `ratio` times the request, which must be possible within min and max. */
function checkRatio(
  errors: FieldError[],
  path: string,
  [ratio, min, max]: readonly [string | undefined, string | undefined, string | undefined],
): void {
  if (ratio === undefined) return;
  if (compare(ratio, '1') < 0) {
    errors.push(fieldError.invalid(path, ratio, `ratio ${ratio} is less than 1`));
  }
  if (min === undefined || max === undefined) return;
  const limit = toNumber(max) / toNumber(min);
  if (toNumber(ratio) <= limit) return;
  const why = `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`;
  errors.push(fieldError.invalid(path, ratio, why));
}

const compare = (a: string, b: string) => compareQuantities(parseQuantity(a), parseQuantity(b));
const isGreater = (a: string, b: string) => compare(a, b) > 0;
const toNumber = (text: string) => quantityToNumber(parseQuantity(text));
