// From which ranges nodes get blocks of addresses for their pods, and how large the blocks are: the
// flags `--cluster-cidr` and `--node-cidr-mask-size[-ipv4|-ipv6]` of kube-controller-manager. One
// range, or two of different families; each node gets a block of each.

import { parseCidr, type IpFamily, type ParsedCidr } from '@keelson/apimachinery';

export interface NodeCidrSettings {
  /** `10.244.0.0/16`, or two with a comma between. */
  readonly clusterCidr: string;
  /** Of a block, in a cluster of one family. */
  readonly maskSize?: number | undefined;
  readonly maskSizeIpv4?: number | undefined;
  readonly maskSizeIpv6?: number | undefined;
}

export interface NodeRange {
  readonly cidr: ParsedCidr;
  /** The length of the prefix of a block. */
  readonly blockBits: number;
}

/** The message is kube-controller-manager's, where it has one. */
export class NodeRangeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NodeRangeError';
  }
}

const defaultMaskSizes: Readonly<Record<IpFamily, number>> = { 4: 24, 6: 64 };
const addressBits: Readonly<Record<IpFamily, number>> = { 4: 32, 6: 128 };
/** COMPAT: of IPv6, with which blocks could be countless. */
const ipv6PrefixDifferenceMax = 16;

/** Throws NodeRangeError. */
export function parseNodeRanges(settings: NodeCidrSettings): readonly NodeRange[] {
  const cidrs = settings.clusterCidr.split(',').map((text) => {
    const cidr = parseCidr(text.trim());
    if (cidr === undefined || cidr.mapped)
      throw new NodeRangeError(`invalid CIDR address: ${text.trim()}`);
    return cidr;
  });
  if (cidrs.length > 2)
    throw new NodeRangeError(`len of clusters is:${cidrs.length} > more than max allowed of 2`);
  if (cidrs.length === 2 && cidrs[0]?.family === cidrs[1]?.family)
    throw new NodeRangeError(
      'len of ClusterCIDRs==2 and they are not configured as dual stack (at least one from each IPFamily)',
    );
  const families = new Set(cidrs.map(({ family }) => family));
  const problem = maskProblem(settings, families);
  if (problem !== undefined) throw new NodeRangeError(`usage of ${problem}`);
  return cidrs.map((cidr) => rangeOf(cidr, settings));
}

/** Which flag must not be there. */
function maskProblem(
  { maskSize, maskSizeIpv4, maskSizeIpv6 }: NodeCidrSettings,
  families: ReadonlySet<IpFamily>,
): string | undefined {
  if (families.size === 2)
    return maskSize ? '--node-cidr-mask-size is not allowed with dual-stack clusters' : undefined;
  if (maskSize)
    return maskSizeIpv4 || maskSizeIpv6
      ? '--node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6 is not allowed if --node-cidr-mask-size is set. For dual-stack clusters please unset it and use IPFamily specific flags'
      : undefined;
  if (maskSizeIpv4 && families.has(6))
    return '--node-cidr-mask-size-ipv4 is not allowed for a single-stack IPv6 cluster';
  if (maskSizeIpv6 && families.has(4))
    return '--node-cidr-mask-size-ipv6 is not allowed for a single-stack IPv4 cluster';
  return undefined;
}

function rangeOf(cidr: ParsedCidr, settings: NodeCidrSettings): NodeRange {
  const ofFamily = { 4: settings.maskSizeIpv4, 6: settings.maskSizeIpv6 }[cidr.family];
  const blockBits = settings.maskSize || ofFamily || defaultMaskSizes[cidr.family];
  if (blockBits < cidr.bits)
    throw new NodeRangeError(
      'Controller: Invalid clusterCIDR, mask size of clusterCIDR must be less than or equal to nodeCIDRMaskSize configured for CIDR family',
    );
  if (blockBits > addressBits[cidr.family])
    throw new NodeRangeError(`no address of IPv${cidr.family} has a prefix of ${blockBits} bits`);
  if (cidr.family === 6 && blockBits - cidr.bits > ipv6PrefixDifferenceMax)
    throw new NodeRangeError('New CIDR set failed; the node CIDR size is too big');
  return { cidr, blockBits };
}
