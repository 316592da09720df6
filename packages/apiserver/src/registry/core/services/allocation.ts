// Gives Services what the cluster has to give: cluster IPs, node ports, a health check node port.
// Runs before preparation and validation, so that what was allocated is validated with the rest;
// the store commits when the Service is written and rolls back when it is not.

import { fieldError, statusErrors } from '@keelson/apimachinery';
import type { Service, ServicePort, ServiceSpec } from '@keelson/apimachinery/types/core.v1';
import { plainError } from '../../storage-errors.ts';
import type { Strategy, StrategyContext, StrategyTransaction } from '../../strategy.ts';
import type { ClusterIps } from './cluster-ips.ts';
import { needsHealthCheck } from './defaults.ts';
import { initializeIpFamilies, keepsPreferDualStack, refuse } from './ip-families.ts';
import type { IpFamily } from './ip-family.ts';
import { headlessIp, keepAllocatedValues, synchronizeClusterIps } from './linked-fields.ts';
import { AllocationError, type NodePortClaims, type NodePorts } from './node-ports.ts';
import { hasNodePortType } from './type-transition.ts';

export interface ServiceAllocators {
  readonly clusterIps: ClusterIps;
  readonly nodePorts: NodePorts;
}

type AllocationHooks = Required<
  Pick<Strategy<Service>, 'beginCreate' | 'beginUpdate' | 'afterDelete'>
>;

/** The hooks that the strategy of Services gets. */
export function createServiceAllocation(allocators: ServiceAllocators): AllocationHooks {
  const { clusterIps } = allocators;
  return {
    beginCreate(service, context) {
      const { spec } = service;
      synchronizeClusterIps(spec, undefined);
      initializeIpFamilies(service, undefined, familyContext(clusterIps, context));
      return transact(allocators, context.dryRun, async (claims) => {
        await claimAddresses(service, claims);
        claimNodePorts(service, claims.ports);
        claimHealthCheckPort(spec, claims.ports);
      });
    },
    beginUpdate(service, old, context) {
      const { spec } = service;
      const oldSpec = old.spec;
      keepAllocatedValues(service, old);
      synchronizeClusterIps(spec, oldSpec);
      initializeIpFamilies(service, old, familyContext(clusterIps, context));
      return transact(allocators, context.dryRun, async (claims) => {
        await updateAddresses(service, oldSpec, claims);
        if (hasNodePortType(spec)) updateNodePorts(service, oldSpec, claims.ports);
        if (needsHealthCheck(spec) && !needsHealthCheck(oldSpec)) {
          claimHealthCheckPort(spec, claims.ports);
        }
      });
    },
    afterDelete({ spec }, { dryRun }) {
      if (dryRun || spec.type === 'ExternalName') return;
      for (const ip of spec.clusterIPs ?? []) if (ip !== headlessIp) clusterIps.release(ip);
    },
  };
}

function familyContext(clusterIps: ClusterIps, context: StrategyContext) {
  return { families: clusterIps.families, features: context.features };
}

/** What one write has claimed so far. */
interface Claims {
  readonly ports: NodePortClaims;
  claimIp(service: Service, family: IpFamily, ip: string): Promise<string>;
  /** Freed when the write succeeds. */
  releaseIp(ip: string): void;
}

async function transact(
  { clusterIps, nodePorts }: ServiceAllocators,
  dryRun: boolean,
  claim: (claims: Claims) => Promise<void>,
): Promise<StrategyTransaction> {
  const ports = nodePorts.begin(dryRun);
  const claimed: string[] = [];
  const released: string[] = [];
  const finish = (ips: readonly string[]) => {
    ports.finish();
    if (!dryRun) for (const ip of ips) clusterIps.release(ip);
  };
  const transaction = { commit: () => finish(released), rollback: () => finish(claimed) };
  try {
    await claim({
      ports,
      async claimIp(service, family, requested) {
        const { namespace = '', name = '' } = service.metadata;
        const owner = { namespace, name };
        const ip = requested || (await clusterIps.claimNext(family, owner, dryRun));
        if (requested) await clusterIps.claim(requested, owner, dryRun);
        claimed.push(ip);
        return ip;
      },
      releaseIp: (ip) => released.push(ip),
    });
  } catch (error) {
    transaction.rollback();
    throw error;
  }
  return transaction;
}

async function claimAddresses(service: Service, claims: Claims): Promise<void> {
  const { spec } = service;
  if (spec.type === 'ExternalName' || spec.clusterIPs?.[0] === headlessIp) return;
  const ips = [...(spec.clusterIPs ?? [])];
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    ips[i] = await claimAddress(service, family === 'IPv6' ? 'IPv6' : 'IPv4', [ips, i], claims);
  }
  spec.clusterIPs = ips;
  if (ips[0]) spec.clusterIP = ips[0];
}

/** Reserves the address asked for, or any; refusals become the answers that clients know. */
async function claimAddress(
  service: Service,
  family: IpFamily,
  [ips, index]: readonly [readonly string[], number],
  claims: Claims,
): Promise<string> {
  const requested = ips[index] ?? '';
  try {
    return await claims.claimIp(service, family, requested);
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    if (requested === '') {
      throw statusErrors.internalError(`failed to allocate a serviceIP: ${error.message}`);
    }
    const why = `failed to allocate IP ${requested}: ${error.message}`;
    refuse(service, [fieldError.invalid('spec.clusterIPs', ips, why)]);
    throw error;
  }
}

async function updateAddresses(service: Service, old: ServiceSpec, claims: Claims): Promise<void> {
  const { spec } = service;
  if (keepsPreferDualStack(spec, old)) return;
  if (old.type === 'ExternalName') return claimAddresses(service, claims);
  const oldIps = old.clusterIPs ?? [];
  if (oldIps[0] === headlessIp) return;
  if (spec.type === 'ExternalName') {
    for (const ip of oldIps) claims.releaseIp(ip);
    return;
  }
  const [before, now] = [old.ipFamilies?.length ?? 0, spec.ipFamilies?.length ?? 0];
  if (before === 1 && now === 2) {
    const ips = [...(spec.clusterIPs ?? []), ''].slice(0, 2);
    const family = spec.ipFamilies?.[1] === 'IPv6' ? 'IPv6' : 'IPv4';
    const second = await claimAddress(service, family, [ips, 1], claims);
    spec.clusterIPs = [ips[0] ?? '', second];
  } else if (before === 2 && now === 1 && oldIps[1]) {
    claims.releaseIp(oldIps[1]);
  }
}

function allocatesNodePorts(spec: ServiceSpec): boolean {
  if (spec.type === 'NodePort') return true;
  return spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false;
}

/** Ports of one number (with different protocols) share a node port, unless they ask for others. */
function claimNodePorts(service: Service, claims: NodePortClaims): void {
  const { spec } = service;
  if (!hasNodePortType(spec)) return;
  const ports = spec.ports ?? [];
  const byNumber = new Map<number, number>();
  for (const [i, port] of ports.entries()) {
    if (!port.nodePort && !allocatesNodePorts(spec)) continue;
    const number = port.port ?? 0;
    const shared = byNumber.get(number);
    if (shared === undefined) {
      const requested = requestedFor(number, ports);
      port.nodePort = requested ? claimPort(service, [i, requested], claims) : claimAnyPort(claims);
      byNumber.set(number, port.nodePort);
    } else if (!port.nodePort) {
      port.nodePort = shared;
    } else if (port.nodePort !== shared) {
      claimPort(service, [i, port.nodePort], claims);
    }
  }
}

/** The node port that the first entry with this port number asks for. */
function requestedFor(number: number, ports: readonly ServicePort[]): number {
  return ports.find((port) => port.port === number && port.nodePort)?.nodePort ?? 0;
}

function updateNodePorts(service: Service, old: ServiceSpec, claims: NodePortClaims): void {
  const { spec } = service;
  const held = new Set((old.ports ?? []).map((port) => port.nodePort ?? 0));
  const used = new Set<string>();
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort && !allocatesNodePorts(spec)) continue;
    if (!port.nodePort) {
      port.nodePort = claimAnyPort(claims);
    } else if (!held.has(port.nodePort)) {
      claimPort(service, [i, port.nodePort], claims);
      held.add(port.nodePort);
    }
    const pair = `{${port.protocol} ${port.nodePort}}`;
    if (used.has(pair)) throw plainError(`duplicate nodePort: ${pair}`);
    used.add(pair);
  }
}

function claimPort(
  service: Service,
  [index, nodePort]: readonly [number, number],
  claims: NodePortClaims,
): number {
  try {
    claims.claim(nodePort);
    return nodePort;
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    const path = `spec.ports[${index}].nodePort`;
    refuse(service, [fieldError.invalid(path, nodePort, error.message)]);
    throw error;
  }
}

function claimAnyPort(claims: NodePortClaims): number {
  try {
    return claims.claimNext();
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    throw statusErrors.internalError(`failed to allocate a nodePort: ${error.message}`);
  }
}

function claimHealthCheckPort(spec: ServiceSpec, claims: NodePortClaims): void {
  if (!needsHealthCheck(spec)) return;
  const requested = spec.healthCheckNodePort;
  try {
    if (requested) claims.claim(requested);
    else spec.healthCheckNodePort = claims.claimNext();
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    const what = requested
      ? `failed to allocate requested HealthCheck NodePort ${requested}`
      : 'failed to allocate a HealthCheck NodePort 0';
    throw statusErrors.internalError(`${what}: ${error.message}`);
  }
}
