// Validation of EndpointSlices.

import { fieldError, parseIp, type FieldError } from '@keelson/apimachinery';
import type {
  Endpoint,
  EndpointHints,
  EndpointPort,
  EndpointSlice,
} from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import type { Features } from '../../../features/features.ts';
import {
  atMost,
  conforms,
  immutable,
  inRange,
  oneOf,
  portRange,
  required,
  requiredOneOf,
} from '../../validation/checks.ts';
import { labels } from '../../validation/labels.ts';
import { ipForLegacyField, type LegacyAddressContext } from '../../validation/legacy-addresses.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  qualifiedName,
} from '../../validation/names.ts';
import { nonSpecialIp } from '../../validation/special-addresses.ts';

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const protocols = ['SCTP', 'TCP', 'UDP'];
const endpointsMax = 1000;
const addressesMax = 100;
const portsMax = 20_000;
const topologyLabelsMax = 16;
const hintsMax = 8;

export function validateEndpointSlice(
  slice: EndpointSlice,
  old: EndpointSlice | undefined,
  features: Features,
): FieldError[] {
  const errors: FieldError[] = [];
  requiredOneOf(errors, 'addressType', slice.addressType, addressTypes);
  checkPorts(errors, slice.ports ?? []);
  const endpoints = slice.endpoints ?? [];
  if (!atMost(errors, 'endpoints', endpoints, endpointsMax)) return errors;
  const existing = (old?.endpoints ?? []).flatMap(({ addresses }) => addresses ?? []);
  endpoints.forEach((endpoint, i) => {
    const path = `endpoints[${i}]`;
    checkAddresses(errors, path, [slice.addressType, endpoint], { existing, features });
    checkPlace(errors, path, endpoint);
    if (endpoint.hints) checkHints(errors, `${path}.hints`, endpoint.hints);
  });
  return errors;
}

export function validateEndpointSliceUpdate(
  slice: EndpointSlice,
  old: EndpointSlice,
  features: Features,
): FieldError[] {
  const errors = validateEndpointSlice(slice, old, features);
  immutable(errors, 'addressType', [slice.addressType, old.addressType]);
  return errors;
}

function checkPorts(errors: FieldError[], ports: readonly EndpointPort[]): void {
  if (!atMost(errors, 'ports', ports, portsMax)) return;
  const names = new Set<string>();
  ports.forEach(({ name = '', port, protocol, appProtocol }, i) => {
    const path = `ports[${i}]`;
    if (name) conforms(errors, `${path}.name`, name, dns1123Label);
    if (names.has(name)) errors.push(fieldError.duplicate(`${path}.name`, name));
    names.add(name);
    inRange(errors, `${path}.port`, port, portRange);
    if (protocol !== undefined) oneOf(errors, `${path}.protocol`, protocol, protocols);
    if (appProtocol !== undefined) {
      conforms(errors, `${path}.appProtocol`, appProtocol, qualifiedName);
    }
  });
}

function checkAddresses(
  errors: FieldError[],
  path: string,
  [type, { addresses = [] }]: readonly [string, Endpoint],
  context: LegacyAddressContext,
): void {
  const list = addresses ?? [];
  if (required(errors, `${path}.addresses`, list, 'must contain at least 1 address')) {
    atMost(errors, `${path}.addresses`, list, addressesMax);
  }
  list.forEach((address, i) => {
    const at = `${path}.addresses[${i}]`;
    if (type === 'FQDN') checkDomain(errors, at, address);
    if (type !== 'IPv4' && type !== 'IPv6') return;
    if (!ipForLegacyField(errors, at, address, context)) return;
    if (parseIp(address)?.family !== (type === 'IPv4' ? 4 : 6)) {
      errors.push(fieldError.invalid(at, address, `must be an ${type} address`));
    }
    nonSpecialIp(errors, at, address);
  });
}

/** At least three labels; a trailing dot is fine. */
function checkDomain(errors: FieldError[], path: string, value: string): void {
  if (!required(errors, path, value)) return;
  const name = value.replace(/\.$/, '');
  const problems = dns1123Subdomain(name);
  const parts = name.split('.');
  const badLabel = parts.find((label) => dns1123Label(label).length > 0);
  if (problems.length > 0) {
    errors.push(fieldError.invalid(path, name, problems.join(',')));
  } else if (parts.length < 3) {
    const why = 'should be a domain with at least three segments separated by dots';
    errors.push(fieldError.invalid(path, name, why));
  } else if (badLabel !== undefined) {
    errors.push(fieldError.invalid(path, badLabel, dns1123Label(badLabel).join(',')));
  }
}

function checkPlace(errors: FieldError[], path: string, endpoint: Endpoint): void {
  const { nodeName, deprecatedTopology, hostname } = endpoint;
  if (nodeName !== undefined) conforms(errors, `${path}.nodeName`, nodeName, dns1123Subdomain);
  const topologyPath = `${path}.deprecatedTopology`;
  const topology = Object.keys(deprecatedTopology ?? {});
  atMost(errors, topologyPath, topology, topologyLabelsMax);
  labels(errors, topologyPath, deprecatedTopology);
  if (hostname !== undefined) conforms(errors, `${path}.hostname`, hostname, dns1123Label);
}

function checkHints(errors: FieldError[], path: string, hints: EndpointHints): void {
  const check = (field: 'forZones' | 'forNodes', rule: typeof labelValue) => {
    const list = hints[field] ?? [];
    if (!atMost(errors, `${path}.${field}`, list, hintsMax)) return;
    const seen = new Set<string>();
    list.forEach(({ name }, i) => {
      const at = `${path}.${field}[${i}].name`;
      if (seen.has(name)) errors.push(fieldError.duplicate(at, name));
      seen.add(name);
      conforms(errors, at, name, rule);
    });
  };
  check('forZones', labelValue);
  check('forNodes', dns1123Subdomain);
}
