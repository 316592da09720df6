// Names and amounts of compute resources (`cpu`, `hugepages-2Mi`, `example.com/gpu`) as containers,
// quotas, limit ranges and nodes use them.

import {
  fieldError,
  isExtendedResource,
  isNativeResource,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  signOf,
  type Quantity,
} from '@keelson/apimachinery';
import { conforms, type Errors } from './checks.ts';
import { qualifiedName } from './names.ts';

/** Map from resource name to canonical quantity text. */
export type ResourceList = Readonly<Record<string, string>>;

const objectCounts = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const compute = ['cpu', 'memory', 'ephemeral-storage'];
const quotaNames = new Set([
  'requests.storage',
  ...compute,
  ...compute.map((name) => `requests.${name}`),
  ...compute.map((name) => `limits.${name}`),
  ...objectCounts,
]);
const standardNames = new Set([...quotaNames, 'storage']);
const integerNames = new Set(objectCounts);

export const hugePagesPrefix = 'hugepages-';
export const isHugePages = (name: string): boolean => name.startsWith(hugePagesPrefix);

const isIntegerResource = (name: string): boolean =>
  integerNames.has(name) || isExtendedResource(name);
const isStandardResource = (name: string): boolean =>
  standardNames.has(name) || isQuotaHugePages(name);
/** Names without a slash that a ResourceQuota may count. */
export const isStandardQuotaResource = (name: string): boolean =>
  quotaNames.has(name) || isQuotaHugePages(name);
const isStandardContainerResource = (name: string): boolean =>
  compute.includes(name) || isHugePages(name);
/** Requests may be lower than limits. */
export const isOvercommitAllowed = (name: string): boolean =>
  isNativeResource(name) && !isHugePages(name);

const isQuotaHugePages = (name: string) =>
  isHugePages(name) || name.startsWith(`requests.${hugePagesPrefix}`);

/** Any resource: a standard name, or a qualified one with a domain. */
export function resourceName(errors: Errors, path: string, name: string): boolean {
  if (!conforms(errors, path, name, qualifiedName)) return false;
  if (name.includes('/') || isStandardResource(name)) return true;
  errors.push(
    fieldError.invalid(path, name, 'must be a standard resource type or fully qualified'),
  );
  return false;
}

/** A resource that a container may ask for. */
export function containerResourceName(errors: Errors, path: string, name: string): void {
  resourceName(errors, path, name);
  if (!name.includes('/')) {
    if (!isStandardContainerResource(name)) {
      errors.push(fieldError.invalid(path, name, 'must be a standard resource for containers'));
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(fieldError.invalid(path, name, "doesn't follow extended resource name standard"));
  }
}

/** Not negative, and whole where the resource comes in pieces. */
export function resourceQuantity(
  errors: Errors,
  path: string,
  [name, text]: readonly [string, string],
): void {
  const quantity = nonNegativeQuantity(errors, path, text);
  if (isIntegerResource(name) && quantityMilliValue(quantity) % 1000n !== 0n) {
    errors.push(fieldError.invalid(path, text, 'must be an integer'));
  }
}

/** Gives the parsed quantity, since decoding has made sure that it is one. */
export function nonNegativeQuantity(errors: Errors, path: string, text: string): Quantity {
  const quantity = parseQuantity(text);
  if (signOf(quantity) < 0) {
    errors.push(fieldError.invalid(path, text, 'must be greater than or equal to 0'));
  }
  return quantity;
}

/** Not negative; the finding shows the whole number. */
export function basicQuantity(errors: Errors, path: string, text: string): boolean {
  const value = quantityValue(parseQuantity(text));
  if (value >= 0n) return true;
  errors.push(fieldError.invalid(path, value, 'must be a valid resource quantity'));
  return false;
}

export function positiveQuantity(errors: Errors, path: string, text: string): Quantity {
  const quantity = parseQuantity(text);
  if (signOf(quantity) <= 0) {
    errors.push(fieldError.invalid(path, text, 'must be greater than zero'));
  }
  return quantity;
}
