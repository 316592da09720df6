// The types that Kubernetes adds to the language, and the values that have them.

import { objectType, opaqueType, type CelType } from '../types/type.ts';
import type { CelOpaque, CelValue } from '../values/value.ts';
import { isSameAddress, type IpAddress, type IpNetwork } from './values/ip-address.ts';
import type { NamedFormat } from './values/named-formats.ts';
import { compareQuantities, type Quantity } from './values/quantity.ts';
import { compareSemanticVersions, type SemanticVersion } from './values/semantic-version.ts';
import { isSameUrl, type ParsedUrl } from './values/url.ts';

export const kubernetesTypes = {
  quantity: objectType('kubernetes.Quantity'),
  semver: objectType('kubernetes.Semver'),
  url: objectType('kubernetes.URL'),
  namedFormat: objectType('kubernetes.NamedFormat'),
  ip: opaqueType('net.IP'),
  cidr: opaqueType('net.CIDR'),
  authorizer: objectType('kubernetes.authorization.Authorizer'),
  pathCheck: objectType('kubernetes.authorization.PathCheck'),
  groupCheck: objectType('kubernetes.authorization.GroupCheck'),
  resourceCheck: objectType('kubernetes.authorization.ResourceCheck'),
  decision: objectType('kubernetes.authorization.Decision'),
} as const satisfies Record<string, CelType>;

/** A value that a library holds under one of its types. */
export interface HeldValue<T> extends CelOpaque {
  readonly held: T;
}

/** Makes and recognises the values of one type. */
export interface HeldType<T> {
  readonly type: CelType;
  create(held: T): HeldValue<T>;
  is(value: CelValue): value is HeldValue<T>;
}

export function heldType<T>(type: CelType, isSame: (a: T, b: T) => boolean): HeldType<T> {
  const known = new WeakSet<object>();
  const held: HeldType<T> = {
    type,
    create(content) {
      const value: HeldValue<T> = {
        kind: 'opaque',
        type,
        held: content,
        equals: (other) => held.is(other) && isSame(content, other.held),
        // COMPAT: a value of another type is not just another value.
        isComparableTo: held.is,
      };
      known.add(value);
      return value;
    },
    is: (value): value is HeldValue<T> =>
      typeof value === 'object' && value !== null && known.has(value),
  };
  return held;
}

export const quantityValue = heldType<Quantity>(
  kubernetesTypes.quantity,
  (a, b) => compareQuantities(a, b) === 0,
);
export const semverValue = heldType<SemanticVersion>(
  kubernetesTypes.semver,
  (a, b) => compareSemanticVersions(a, b) === 0,
);
export const urlValue = heldType<ParsedUrl>(kubernetesTypes.url, isSameUrl);
export const formatValue = heldType<NamedFormat>(
  kubernetesTypes.namedFormat,
  (a, b) => a.name === b.name,
);
export const ipValue = heldType<IpAddress>(kubernetesTypes.ip, isSameAddress);
export const cidrValue = heldType<IpNetwork>(
  kubernetesTypes.cidr,
  (a, b) => a.prefixLength === b.prefixLength && isSameAddress(a.address, b.address),
);
