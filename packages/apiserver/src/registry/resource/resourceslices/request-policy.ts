// How much of a capacity that several claims share one of them may take.

import {
  addQuantities,
  compareQuantities,
  fieldError,
  parseQuantity,
  quantityToNumber,
  subtractQuantities,
  type Quantity,
} from '@keelson/apimachinery';
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Errors } from '../../validation/checks.ts';

const validValuesMax = 10;

/** At most one of listed values and a range; with either, a default that obeys it. */
export function validateRequestPolicy(
  errors: Errors,
  path: string,
  policy: CapacityRequestPolicy,
  capacity: string,
): void {
  const max = parseQuantity(capacity);
  const { validValues = [], validRange } = policy;
  const preset = policy.default === undefined ? undefined : parseQuantity(policy.default);
  if (validValues.length > 0 && validRange) {
    const why =
      'exactly one policy can be specified, cannot specify `validValues` and `validRange` at the same time';
    errors.push(fieldError.forbidden(path, why));
    return;
  }
  if (validValues.length === 0 && !validRange) {
    if (preset && compareQuantities(preset, max) > 0) {
      const why = `default is larger than the capacity value: ${capacity}`;
      errors.push(fieldError.invalid(`${path}.default`, policy.default, why));
    }
    return;
  }
  if (!preset) {
    const field = validRange ? 'validRange' : 'validValues';
    const why = `required when \`${field}\` is defined`;
    errors.push(fieldError.required(`${path}.default`, why));
    return;
  }
  if (validRange) checkRange(errors, path, { policy, range: validRange, preset, max });
  else checkValues(errors, path, { policy, values: validValues, preset, max });
}

interface Policy {
  readonly policy: CapacityRequestPolicy;
  readonly preset: Quantity;
  readonly max: Quantity;
}

function checkValues(
  errors: Errors,
  path: string,
  { policy, values, preset, max }: Policy & { readonly values: readonly string[] },
): void {
  const at = `${path}.validValues`;
  if (values.length > validValuesMax) {
    errors.push(fieldError.tooMany(at, values.length, validValuesMax));
  }
  const quantities = values.map(parseQuantity);
  quantities.forEach((value, i) => {
    if (compareQuantities(value, max) > 0) {
      const why = 'value is larger than the capacity value';
      errors.push(fieldError.invalid(`${at}[${i}]`, values[i], why));
    }
    const before = quantities[i - 1];
    if (before && compareQuantities(value, before) < 0) {
      errors.push(
        fieldError.invalid(`${at}[${i}]`, values[i], 'values must be sorted in ascending order'),
      );
    } else if (before && compareQuantities(value, before) === 0) {
      errors.push(fieldError.duplicate(`${at}[${i}]`, values[i]));
    }
  });
  if (!quantities.some((value) => compareQuantities(value, preset) === 0)) {
    const why = 'default value is not valid according to the requestPolicy';
    errors.push(fieldError.invalid(`${path}.default`, policy.default, why));
  }
}

function checkRange(
  errors: Errors,
  path: string,
  { policy, range, preset, max }: Policy & { readonly range: CapacityRequestPolicyRange },
): void {
  const at = `${path}.validRange`;
  const low = parseQuantity(range.min);
  const high = range.max === undefined ? max : parseQuantity(range.max);
  const refuse = (field: string, value: string | undefined, why: string) =>
    errors.push(fieldError.invalid(`${at}.${field}`, value, why));
  if (compareQuantities(low, max) > 0) {
    refuse('min', range.min, 'min is larger than the capacity value');
  }
  if (compareQuantities(high, max) > 0) {
    refuse('max', range.max, 'max is larger than the capacity value');
  }
  if (compareQuantities(low, high) > 0) refuse('min', range.min, 'min is larger than max');
  const stepsOff = (value: Quantity) => range.step !== undefined && !isStep(value, low, range.step);
  if (range.step !== undefined) {
    const next = addQuantities(low, parseQuantity(range.step));
    if (compareQuantities(next, max) > 0) {
      refuse('step', range.step, 'one step is larger than the capacity value');
    }
    if (range.max !== undefined && stepsOff(high)) {
      refuse('max', range.max, 'max is not a multiple of step from min');
    }
  }
  const outside = compareQuantities(preset, low) < 0 || compareQuantities(preset, high) > 0;
  if (outside || stepsOff(preset)) {
    const why = 'default value is not valid according to the requestPolicy';
    errors.push(fieldError.invalid(`${path}.default`, policy.default, why));
  }
}

function isStep(value: Quantity, from: Quantity, step: string): boolean {
  const distance = quantityToNumber(subtractQuantities(value, from));
  const size = quantityToNumber(parseQuantity(step));
  return size > 0 && distance % size === 0;
}
