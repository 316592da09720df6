// Fields of a Service that say the same twice (`clusterIP` and `clusterIPs`) or that the server
// allocated and the client may leave out of an update. Brings them into agreement before anything
// looks at them; what cannot be meant is left for validation to refuse.

import type { Service, ServiceSpec } from '@keelson/apimachinery/types/core.v1';
import { needsHealthCheck } from './defaults.ts';

export const headlessIp = 'None';

/** `clusterIPs` is exactly `["None"]`. */
export function isHeadless(spec: ServiceSpec): boolean {
  return spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === headlessIp;
}

export function needsClusterIp(spec: ServiceSpec): boolean {
  return spec.type !== 'ExternalName';
}

function needsNodePorts(spec: ServiceSpec): boolean {
  if (spec.type === 'NodePort') return true;
  return spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false;
}

export function sameList(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): boolean {
  const left = a ?? [];
  const right = b ?? [];
  return left.length === right.length && left.every((value, i) => value === right[i]);
}

/** A client that only knows `clusterIP` sets, keeps or clears `clusterIPs` with it. */
export function synchronizeClusterIps(spec: ServiceSpec, old: ServiceSpec | undefined): void {
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const [ip, oldIp] = [spec.clusterIP ?? '', old.clusterIP ?? ''];
  if (ip === oldIp) {
    if (!spec.clusterIPs?.length && old.clusterIPs?.length) spec.clusterIPs = [...old.clusterIPs];
    return;
  }
  if (!sameList(spec.clusterIPs, old.clusterIPs)) return;
  if (oldIp !== '' && ip === '') delete spec.clusterIPs;
  else spec.clusterIPs = [ip];
}

/**
 * Takes over what was allocated before and is absent now, so that the manifest from which a Service
 * was created can be sent again. Node ports are matched by port name.
 */
export function keepAllocatedValues(service: Service, old: Service): void {
  const { spec } = service;
  const oldSpec = old.spec;
  if (needsClusterIp(spec) && needsClusterIp(oldSpec)) {
    if (!spec.clusterIP && oldSpec.clusterIP) spec.clusterIP = oldSpec.clusterIP;
    if (!spec.clusterIPs?.length && oldSpec.clusterIPs?.length) {
      spec.clusterIPs = [...oldSpec.clusterIPs];
    }
  }
  if (needsNodePorts(spec) && needsNodePorts(oldSpec)) keepNodePorts(spec, oldSpec);
  if (needsHealthCheck(spec) && needsHealthCheck(oldSpec) && oldSpec.healthCheckNodePort) {
    spec.healthCheckNodePort ||= oldSpec.healthCheckNodePort;
  }
}

function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const requested = new Set((spec.ports ?? []).map((port) => port.nodePort));
  const byName = new Map((old.ports ?? []).map((port) => [port.name ?? '', port.nodePort]));
  for (const port of spec.ports ?? []) {
    const before = byName.get(port.name ?? '');
    if (!port.nodePort && before && !requested.has(before)) port.nodePort = before;
  }
}
