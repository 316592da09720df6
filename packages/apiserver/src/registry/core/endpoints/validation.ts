// Validation of Endpoints. Subsets that an update leaves as they are were valid when they were
// written.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { EndpointAddress, EndpointPort, Endpoints } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { conforms, inRange, portRange, requiredOneOf } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { ipForLegacyField } from '../../validation/legacy-addresses.ts';
import { dns1123Label, dns1123Subdomain, qualifiedName } from '../../validation/names.ts';
import { nonSpecialIp } from '../../validation/special-addresses.ts';

const protocols = ['SCTP', 'TCP', 'UDP'];

export function validateEndpoints(
  endpoints: Endpoints,
  old: Endpoints | undefined,
  features: Features,
): FieldError[] {
  if (old && isSemanticallyEqual(endpoints.subsets, old.subsets)) return [];
  const errors: FieldError[] = [];
  const existing = (old?.subsets ?? [])
    .flatMap(({ addresses = [], notReadyAddresses = [] }) => [...addresses, ...notReadyAddresses])
    .map(({ ip }) => ip);
  endpoints.subsets?.forEach((subset, i) => {
    const path = `subsets[${i}]`;
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      const why = 'must specify `addresses` or `notReadyAddresses`';
      errors.push(fieldError.required(path, why));
    }
    addresses.forEach((address, j) => {
      checkAddress(errors, `${path}.addresses[${j}]`, address, { existing, features });
    });
    notReadyAddresses.forEach((address, j) => {
      checkAddress(errors, `${path}.notReadyAddresses[${j}]`, address, { existing, features });
    });
    ports.forEach((port, j) => {
      checkPort(errors, `${path}.ports[${j}]`, port, ports.length > 1);
    });
  });
  return errors;
}

function checkAddress(
  errors: FieldError[],
  path: string,
  { ip, hostname, nodeName }: EndpointAddress,
  context: { readonly existing: readonly string[]; readonly features: Features },
): void {
  ipForLegacyField(errors, `${path}.ip`, ip, context);
  if (hostname) conforms(errors, `${path}.hostname`, hostname, dns1123Label);
  if (nodeName !== undefined) conforms(errors, `${path}.nodeName`, nodeName, dns1123Subdomain);
  if (!context.existing.includes(ip)) nonSpecialIp(errors, `${path}.ip`, ip);
}

function checkPort(
  errors: FieldError[],
  path: string,
  { name, port, protocol, appProtocol }: EndpointPort,
  isNameRequired: boolean,
): void {
  if (name) conforms(errors, `${path}.name`, name, dns1123Label);
  else if (isNameRequired) errors.push(fieldError.required(`${path}.name`));
  inRange(errors, `${path}.port`, port, portRange);
  requiredOneOf(errors, `${path}.protocol`, protocol, protocols);
  if (appProtocol !== undefined)
    conforms(errors, `${path}.appProtocol`, appProtocol, qualifiedName);
}
