// The flags of `keelson up` that give nodes addresses for their pods, named and checked as
// kube-controller-manager's.

import { InvalidArgumentError, type Command } from 'commander';
import { NodeRangeError, parseNodeRanges } from '@keelson/controllers';
import type { ControllerSettings } from '../controller-description.ts';
import { ControllerFlagError } from './controller-flag-error.ts';

export interface NodeIpamFlags {
  readonly allocateNodeCidrs: boolean;
  readonly clusterCidr?: string;
  readonly nodeCidrMaskSize?: number;
  readonly nodeCidrMaskSizeIpv4?: number;
  readonly nodeCidrMaskSizeIpv6?: number;
}

export function addNodeIpamFlags(command: Command): Command {
  const size = 'how long the prefix of a node’s addresses is';
  return command
    .option('--allocate-node-cidrs', 'nodes get addresses for their pods', false)
    .option('--cluster-cidr <cidrs>', 'the range of those addresses, or one of each family')
    .option('--node-cidr-mask-size <bits>', `${size}, with one range`, parseBits)
    .option('--node-cidr-mask-size-ipv4 <bits>', `${size} (24)`, parseBits)
    .option('--node-cidr-mask-size-ipv6 <bits>', `${size} (64)`, parseBits);
}

/** Throws ControllerFlagError. */
export function readNodeIpamFlags(flags: NodeIpamFlags): Pick<ControllerSettings, 'nodeCidrs'> {
  if (!flags.allocateNodeCidrs) return {};
  const { clusterCidr, nodeCidrMaskSize: maskSize } = flags;
  const { nodeCidrMaskSizeIpv4: maskSizeIpv4, nodeCidrMaskSizeIpv6: maskSizeIpv6 } = flags;
  if (clusterCidr === undefined)
    throw new ControllerFlagError('--cluster-cidr is needed when --allocate-node-cidrs is set');
  const nodeCidrs = { clusterCidr, maskSize, maskSizeIpv4, maskSizeIpv6 };
  try {
    parseNodeRanges(nodeCidrs);
  } catch (cause) {
    if (!(cause instanceof NodeRangeError)) throw cause;
    throw new ControllerFlagError(`--cluster-cidr ${clusterCidr}: ${cause.message}`, cause);
  }
  return { nodeCidrs };
}

function parseBits(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('a number of bits.');
  return Number(text);
}
