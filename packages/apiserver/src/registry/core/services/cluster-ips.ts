// The cluster IPs. Each address that a Service holds is an IPAddress object whose name is the
// address (KEP-1880): creating that object is what reserves the address, so that all servers of a
// cluster agree, and what is stored is all there is to know. The ranges are those given on the
// command line and those of ready ServiceCIDR objects. Addresses that nobody asked for come from
// the upper part of a range (KEP-3070).

import {
  isStatusError,
  formatIp,
  networkOf,
  parseCidr,
  parseIp,
  type KubeObject,
  type Random,
  type ParsedIp,
} from '@keelson/apimachinery';
import type { IPAddress, ServiceCIDR } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import type { ObjectSource } from '../../../object-source.ts';
import { familyOf, type IpFamily } from './ip-family.ts';
import { AllocationError } from './node-ports.ts';

const familyLabel = 'ipaddress.kubernetes.io/ip-family';
const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
const managedByAllocator = 'ipallocator.k8s.io';

/** The IPAddress objects of the cluster, as the allocator needs them. */
export interface IpAddressStore {
  has(name: string): boolean;
  /** Rejects with an AlreadyExists status when the name is taken. */
  create(address: IPAddress): Promise<void>;
  /** Resolves also when there is none. */
  delete(name: string): Promise<void>;
}

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
}

export interface ClusterIps {
  /** The families of the cluster, the default first. */
  readonly families: readonly IpFamily[];
  /** Reserves this address; throws AllocationError. A dry run only checks the range. */
  claim(ip: string, owner: ServiceReference, dryRun: boolean): Promise<void>;
  /** Reserves any address; throws AllocationError. A dry run reserves nothing. */
  claimNext(family: IpFamily, owner: ServiceReference, dryRun: boolean): Promise<string>;
  /** Frees the address in the background; a later claim of it waits for that. */
  release(ip: string): void;
}

export interface ClusterIpsOptions {
  /** `--service-cluster-ip-range`: one range, or two of different families, the default first. */
  readonly ranges: readonly string[];
  readonly serviceCidrs: ObjectSource;
  readonly addresses: IpAddressStore;
  readonly random: Random;
  /** Told of addresses that could not be freed. */
  readonly onReleaseFailed?: (ip: string, error: unknown) => void;
}

interface Range {
  readonly family: IpFamily;
  readonly first: bigint;
  readonly last: bigint;
}

export function createClusterIps(options: ClusterIpsOptions): ClusterIps {
  const { addresses, random } = options;
  const configured = options.ranges.flatMap((cidr) => rangeOf(cidr) ?? []);
  const releasing = new Map<string, Promise<void>>();
  const ranges = (): Range[] => {
    const stored = options.serviceCidrs.list().filter(isReady).flatMap(cidrsOf);
    return [...configured, ...stored.flatMap((cidr) => rangeOf(cidr) ?? [])];
  };
  const reserve = async (ip: string, owner: ServiceReference) => {
    await releasing.get(ip);
    try {
      await addresses.create(addressObject(ip, owner));
    } catch (error) {
      if (isStatusError(error, 'AlreadyExists')) {
        throw new AllocationError('provided IP is already allocated');
      }
      throw error;
    }
  };

  return {
    families: [...new Set(configured.map((range) => range.family))],
    async claim(ip, owner, dryRun) {
      const parsed = parseIp(ip);
      if (!parsed || !ranges().some((range) => contains(range, parsed))) {
        throw new AllocationError('the provided network does not match the current range');
      }
      if (!dryRun) await reserve(formatIp(parsed), owner);
    },
    async claimNext(family, owner, dryRun) {
      for (const range of ranges().filter((r) => r.family === family)) {
        for (const ip of candidates(range, random)) {
          if (addresses.has(ip)) continue;
          if (dryRun) return ip;
          try {
            await reserve(ip, owner);
            return ip;
          } catch (error) {
            if (!(error instanceof AllocationError)) throw error;
          }
        }
      }
      throw new AllocationError('range is full');
    },
    release(ip) {
      const done = addresses
        .delete(ip)
        .catch((error: unknown) => options.onReleaseFailed?.(ip, error))
        .finally(() => releasing.delete(ip));
      releasing.set(ip, done);
    },
  };
}

function addressObject(ip: string, owner: ServiceReference): IPAddress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: ip,
      labels: { [familyLabel]: familyOf(ip), [managedByLabel]: managedByAllocator },
    },
    spec: { parentRef: { resource: 'services', namespace: owner.namespace, name: owner.name } },
  };
}

/**
 * Nobody has said yet that it is not ready: the range is usable before the controller has seen it.
 */
function isReady(cidr: KubeObject): boolean {
  if (cidr.metadata.deletionTimestamp) return false;
  const conditions = (cidr as ServiceCIDR).status?.conditions ?? [];
  return conditions.every(({ type, status }) => type !== 'Ready' || status === 'True');
}

function cidrsOf(cidr: KubeObject): readonly string[] {
  return (cidr as ServiceCIDR).spec?.cidrs ?? [];
}

/** The usable addresses: without the network's own and, for IPv4, without the broadcast address. */
function rangeOf(text: string): Range | undefined {
  const cidr = parseCidr(text);
  if (!cidr) return undefined;
  const width = cidr.family === 4 ? 32 : 128;
  const start = networkOf(cidr);
  const size = 1n << BigInt(width - cidr.bits);
  const last = start + size - (cidr.family === 4 ? 2n : 1n);
  return { family: cidr.family === 4 ? 'IPv4' : 'IPv6', first: start + 1n, last };
}

function contains(range: Range, ip: ParsedIp): boolean {
  const family = ip.family === 4 ? 'IPv4' : 'IPv6';
  return range.family === family && ip.value >= range.first && ip.value <= range.last;
}

/** How many addresses are tried at most: larger ranges (IPv6) are never that full. */
const candidatesMax = 1n << 20n;

/** Every address of the range, the upper part first, each part from a random one on. */
function* candidates(range: Range, random: Random): Generator<string> {
  const size = range.last - range.first + 1n;
  const split = range.first + staticAddresses(size);
  yield* shuffled(range.family, split, range.last, random);
  yield* shuffled(range.family, range.first, split - 1n, random);
}

function* shuffled(family: IpFamily, from: bigint, to: bigint, random: Random): Generator<string> {
  const size = to - from + 1n;
  if (size <= 0n) return;
  const start = randomBelow(size, random);
  const tries = size < candidatesMax ? size : candidatesMax;
  for (let i = 0n; i < tries; i++) {
    const value = from + ((start + i) % size);
    yield formatIp({ family: family === 'IPv4' ? 4 : 6, value });
  }
}

function randomBelow(limit: bigint, random: Random): bigint {
  const bytes = random.bytes(20);
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) % limit;
}

/**
 * How many addresses at the start of a range are kept for explicit requests: a 16th, between 16 and
 * 256.
 */
function staticAddresses(size: bigint): bigint {
  if (size <= 16n) return 0n;
  const share = size / 16n;
  return share < 16n ? 16n : share > 256n ? 256n : share;
}
