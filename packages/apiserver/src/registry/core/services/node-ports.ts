// The node ports of the cluster. A port is taken while a stored Service uses it, or while a write
// that claims it is under way; nothing else is remembered, so the state after a restart is the
// state before. Ports that nobody asked for come from the upper part of the range, so that the
// lower part stays free for those who do (KEP-3668).

import type { KubeObject, Random } from '@keelson/apimachinery';
import type { ServiceSpec } from '@keelson/apimachinery/types/core.v1';
import type { ObjectSource } from '../../../object-source.ts';

export interface PortRange {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

const nodePortRangeDefault: PortRange = { first: 30000, last: 32767 };

/** What the allocator cannot give; the message is the detail of the answer. */
export class AllocationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AllocationError';
  }
}

/**
 * The ports of one write. Claims are dropped by `finish`: by then a written Service holds them
 * itself.
 */
export interface NodePortClaims {
  /** Throws AllocationError. */
  claim(port: number): void;
  /** Throws AllocationError when the range is full. */
  claimNext(): number;
  finish(): void;
}

export interface NodePorts {
  begin(dryRun: boolean): NodePortClaims;
}

export interface NodePortsOptions {
  readonly services: ObjectSource;
  readonly random: Random;
  readonly range?: PortRange;
}

export function createNodePorts({ services, random, range }: NodePortsOptions): NodePorts {
  const { first, last } = range ?? nodePortRangeDefault;
  const users = new Map<number, number>();
  const claimed = new Set<number>();
  const count = (object: KubeObject | undefined, by: 1 | -1) => {
    for (const port of portsOf(object)) {
      const left = (users.get(port) ?? 0) + by;
      if (left > 0) users.set(port, left);
      else users.delete(port);
    }
  };
  for (const service of services.list()) count(service, 1);
  services.subscribe(({ type, object, previous }) => {
    count(type === 'DELETED' ? (previous ?? object) : previous, -1);
    if (type !== 'DELETED') count(object, 1);
  });

  const isTaken = (port: number) => users.has(port) || claimed.has(port);
  const pick = (from: number, to: number): number | undefined => {
    const size = to - from + 1;
    if (size <= 0) return undefined;
    const start = Math.floor(random.float() * size);
    for (let i = 0; i < size; i++) {
      const port = from + ((start + i) % size);
      if (!isTaken(port)) return port;
    }
    return undefined;
  };
  const dynamicFirst = first + staticPorts(last - first + 1);

  return {
    begin(dryRun) {
      if (dryRun) return dryRunClaims(isTaken);
      const own: number[] = [];
      const hold = (port: number) => {
        claimed.add(port);
        own.push(port);
        return port;
      };
      return {
        claim(port) {
          if (port < first || port > last) {
            throw new AllocationError(
              `provided port is not in the valid range. The range of valid ports is ${first}-${last}`,
            );
          }
          if (isTaken(port)) throw new AllocationError(portTaken);
          hold(port);
        },
        claimNext() {
          const port = pick(dynamicFirst, last) ?? pick(first, dynamicFirst - 1);
          if (port === undefined) throw new AllocationError('range is full');
          return hold(port);
        },
        finish() {
          for (const port of own.splice(0)) claimed.delete(port);
        },
      };
    },
  };
}

const portTaken = 'provided port is already allocated';

/** COMPAT: a dry run answers made-up ports from 32769 on and does not check the range. */
const dryRunFirst = 32769;

function dryRunClaims(isTaken: (port: number) => boolean): NodePortClaims {
  const own = new Set<number>();
  return {
    claim(port) {
      if (isTaken(port) || own.has(port)) throw new AllocationError(portTaken);
      own.add(port);
    },
    claimNext() {
      const port = own.size === 0 ? dryRunFirst : Math.max(...own) + 1;
      own.add(port);
      return port;
    },
    finish() {},
  };
}

/**
 * How many ports at the start of a range are kept for explicit requests: a 32nd, between 16 and
 * 128.
 */
function staticPorts(size: number): number {
  if (size <= 16) return 0;
  return Math.min(Math.max(16, Math.floor(size / 32)), 128);
}

function portsOf(object: KubeObject | undefined): Set<number> {
  const spec = object?.['spec'] as ServiceSpec | undefined;
  const ports = (spec?.ports ?? []).map((port) => port.nodePort ?? 0);
  return new Set([...ports, spec?.healthCheckNodePort ?? 0].filter((port) => port !== 0));
}
