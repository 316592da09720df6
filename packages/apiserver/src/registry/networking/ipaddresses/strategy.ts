// IPAddresses: one object per cluster IP in use; the name is the address (KEP-1880).

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { IPAddress, ParentReference } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import type { Strategy } from '../../strategy.ts';
import { canonicalIp } from '../../validation/canonical-addresses.ts';
import { conforms, immutable, required } from '../../validation/checks.ts';
import { dns1123Subdomain, pathSegmentName } from '../../validation/names.ts';

export const ipAddressStrategy: Strategy<IPAddress> = {
  validate: validateIpAddress,
  validateUpdate(address, old) {
    const errors = validateIpAddress(address);
    const parents = [address.spec?.parentRef ?? null, old.spec?.parentRef ?? null] as const;
    immutable(errors, 'spec.parentRef', parents);
    return errors;
  },
  nameRule: addressName,
  generatesNames: false,
  tableCells: (address) => [address.metadata.name, parentText(address.spec?.parentRef)],
};

/** Only the canonical form, so that one address has one name. */
function addressName(name: string): string[] {
  const errors: FieldError[] = [];
  canonicalIp(errors, '', name);
  return errors.map(({ detail }) => detail);
}

function parentText(parent: ParentReference | undefined): string {
  if (!parent) return '';
  const { resource, group, namespace, name } = parent;
  const type = group ? `${resource}.${group}` : resource;
  return [type, namespace, name].filter(Boolean).join('/');
}

function validateIpAddress({ spec }: IPAddress): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'spec.parentRef';
  const parent = spec?.parentRef;
  if (!parent) return [fieldError.required(path)];
  if (parent.group) conforms(errors, `${path}.group`, parent.group, dns1123Subdomain);
  const segment = (text: string) => pathSegmentName(text, false);
  for (const field of ['resource', 'name'] as const) {
    const text = parent[field] ?? '';
    if (required(errors, `${path}.${field}`, text)) {
      conforms(errors, `${path}.${field}`, text, segment);
    }
  }
  if (parent.namespace) conforms(errors, `${path}.namespace`, parent.namespace, segment);
  return errors;
}
