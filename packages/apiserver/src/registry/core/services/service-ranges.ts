// The ranges of Service addresses as the command line gives them (`--service-cluster-ip-range`): one,
// or two of different families, of which the first is the default. The API server is itself a Service,
// at the first usable address of the first range.

import { formatIp, networkOf, parseCidr, type ParsedCidr } from '@keelson/apimachinery';

export interface ServiceRanges {
  readonly cidrs: readonly string[];
  /** Of the Service `kubernetes`. */
  readonly apiServerAddress: string;
}

/** The message is kube-apiserver's. */
export class ServiceRangeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ServiceRangeError';
  }
}

const flag = '--service-cluster-ip-range';
/** Fewer addresses have no room for the API server, a DNS server and anybody else. */
const addressesMin = 8n;

/** Throws ServiceRangeError. */
export function parseServiceRanges(text: string): ServiceRanges {
  const cidrs = text.split(',').map((cidr) => cidr.trim());
  if (cidrs.length > 2)
    throw new ServiceRangeError(`${flag} must not contain more than two entries`);
  const [first, second] = cidrs.map(parseRange);
  if (first === undefined) throw new Error('unreachable: splitting makes one part at least');
  if (second !== undefined && second.family === first.family)
    throw new ServiceRangeError(`${flag}[0] and ${flag}[1] must be of different IP family`);
  const apiServerAddress = formatIp({ family: first.family, value: networkOf(first) + 1n });
  return { cidrs, apiServerAddress };
}

function parseRange(text: string, at: number): ParsedCidr {
  const cidr = parseCidr(text);
  if (cidr === undefined || cidr.mapped)
    throw new ServiceRangeError(`${flag.slice(2)}[${at}] is not a valid cidr`);
  const width = cidr.family === 4 ? 32 : 128;
  if (1n << BigInt(width - cidr.bits) < addressesMin)
    throw new ServiceRangeError(
      `the service cluster IP range must be at least ${addressesMin} IP addresses`,
    );
  return cidr;
}
