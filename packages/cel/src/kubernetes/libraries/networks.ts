// IP addresses and networks: `cidr('10.0.0.0/8').containsIP(ip('10.1.2.3'))`.

import {
  declareFunction,
  globalOverload,
  memberOverload,
  type Library,
} from '../../library/library.ts';
import { celTypes, typeType } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import { celTypeValue } from '../../values/scalars.ts';
import { isError, type CelResult } from '../../values/value.ts';
import { cidrValue, ipValue, kubernetesTypes, type HeldValue } from '../types.ts';
import {
  addressKinds,
  containsAddress,
  containsNetwork,
  formatIpAddress,
  formatIpNetwork,
  maskNetwork,
  parseIpAddress,
  parseIpNetwork,
  type IpAddress,
  type IpNetwork,
} from '../values/ip-address.ts';

type Ip = HeldValue<IpAddress>;
type Cidr = HeldValue<IpNetwork>;

const { cidr, ip } = kubernetesTypes;
const { bool, int, string } = celTypes;

function ipOf(text: string): Ip | CelResult {
  const parsed = parseIpAddress(text);
  return 'error' in parsed ? celError(parsed.error) : ipValue.create(parsed);
}

function isCanonical(text: string): CelResult {
  const parsed = parseIpAddress(text);
  return 'error' in parsed ? celError(parsed.error) : formatIpAddress(parsed) === text;
}

const ipTest = (name: string, id: string, holds: (address: IpAddress) => boolean) =>
  declareFunction(
    name,
    memberOverload(id, [[ip], bool], ({ held }: Ip) => holds(held)),
  );

export const ipLibrary: Library = {
  name: 'kubernetes.net.ip',
  constants: [{ name: ip.name, type: typeType(ip), value: celTypeValue(ip) }],
  functions: [
    declareFunction('ip', globalOverload('string_to_ip', [[string], ip], ipOf)),
    declareFunction(
      'isIP',
      globalOverload(
        'is_ip',
        [[string], bool],
        (text: string) => !('error' in parseIpAddress(text)),
      ),
    ),
    declareFunction(
      'ip.isCanonical',
      globalOverload('ip_is_canonical', [[string], bool], isCanonical),
    ),
    declareFunction(
      'family',
      memberOverload('ip_family', [[ip], int], ({ held }: Ip) => BigInt(held.family)),
    ),
    ipTest('isUnspecified', 'ip_is_unspecified', addressKinds.isUnspecified),
    ipTest('isLoopback', 'ip_is_loopback', addressKinds.isLoopback),
    ipTest('isLinkLocalMulticast', 'ip_is_link_local_multicast', addressKinds.isLinkLocalMulticast),
    ipTest('isLinkLocalUnicast', 'ip_is_link_local_unicast', addressKinds.isLinkLocalUnicast),
    ipTest('isGlobalUnicast', 'ip_is_global_unicast', addressKinds.isGlobalUnicast),
    declareFunction(
      'string',
      globalOverload('ip_to_string', [[ip], string], ({ held }: Ip) => formatIpAddress(held)),
    ),
  ],
};

// COMPAT: the text says twice where it failed.
function cidrOf(text: string): CelResult {
  const parsed = parseIpNetwork(text);
  if (!('error' in parsed)) return cidrValue.create(parsed);
  return celError(`network address parse error during conversion from string: ${parsed.error}`);
}

function containsIpText(network: Cidr, text: string): CelResult {
  const address = ipOf(text);
  if (isError(address)) return address;
  return ipValue.is(address) && containsAddress(network.held, address.held);
}

function containsCidrText(network: Cidr, text: string): CelResult {
  const inner = cidrOf(text);
  if (isError(inner)) return inner;
  return cidrValue.is(inner) && containsNetwork(network.held, inner.held);
}

export const cidrLibrary: Library = {
  name: 'kubernetes.net.cidr',
  constants: [{ name: cidr.name, type: typeType(cidr), value: celTypeValue(cidr) }],
  functions: [
    declareFunction('cidr', globalOverload('string_to_cidr', [[string], cidr], cidrOf)),
    declareFunction(
      'isCIDR',
      globalOverload(
        'is_cidr',
        [[string], bool],
        (text: string) => !('error' in parseIpNetwork(text)),
      ),
    ),
    declareFunction(
      'containsIP',
      memberOverload('cidr_contains_ip_string', [[cidr, string], bool], containsIpText),
      memberOverload('cidr_contains_ip_ip', [[cidr, ip], bool], (network: Cidr, address: Ip) =>
        containsAddress(network.held, address.held),
      ),
    ),
    declareFunction(
      'containsCIDR',
      memberOverload('cidr_contains_cidr_string', [[cidr, string], bool], containsCidrText),
      memberOverload('cidr_contains_cidr', [[cidr, cidr], bool], (outer: Cidr, inner: Cidr) =>
        containsNetwork(outer.held, inner.held),
      ),
    ),
    declareFunction(
      'ip',
      memberOverload('cidr_ip', [[cidr], ip], ({ held }: Cidr) => ipValue.create(held.address)),
    ),
    declareFunction(
      'masked',
      memberOverload('cidr_masked', [[cidr], cidr], ({ held }: Cidr) =>
        cidrValue.create(maskNetwork(held)),
      ),
    ),
    declareFunction(
      'prefixLength',
      memberOverload('cidr_prefix_length', [[cidr], int], ({ held }: Cidr) =>
        BigInt(held.prefixLength),
      ),
    ),
    declareFunction(
      'string',
      globalOverload('cidr_to_string', [[cidr], string], ({ held }: Cidr) => formatIpNetwork(held)),
    ),
  ],
};
