// What a Service loses when its type changes: fields that only the old type had and that the client
// sent back unchanged. Without this, changing `type` alone would be refused by validation.

import type { Service, ServiceSpec } from '@keelson/apimachinery/types/core.v1';
import { isExternallyAccessible, needsHealthCheck } from './defaults.ts';
import { needsClusterIp, sameList } from './linked-fields.ts';

export function dropFieldsOfOtherTypes(service: Service, old: Service): void {
  const { spec } = service;
  const before = old.spec;
  if (needsClusterIp(before) && !needsClusterIp(spec)) {
    if (sameClusterIps(spec, before)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (sameList(spec.ipFamilies, before.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === before.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  if (hasNodePortType(before) && !hasNodePortType(spec) && keepsNodePorts(spec, before)) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(before) && !needsHealthCheck(spec)) {
    if (spec.healthCheckNodePort === before.healthCheckNodePort) delete spec.healthCheckNodePort;
  }
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    dropIfSame(spec, before, 'allocateLoadBalancerNodePorts');
    dropIfSame(spec, before, 'loadBalancerClass');
  }
  if (isExternallyAccessible(before) && !isExternallyAccessible(spec)) {
    dropIfSame(spec, before, 'externalTrafficPolicy');
  }
  if (spec.type !== 'LoadBalancer' && service.status) service.status.loadBalancer = {};
}

/** The types whose ports may have node ports. */
export function hasNodePortType(spec: ServiceSpec): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer';
}

function dropIfSame(
  spec: ServiceSpec,
  before: ServiceSpec,
  field: 'allocateLoadBalancerNodePorts' | 'loadBalancerClass' | 'externalTrafficPolicy',
): void {
  if (spec[field] === before[field]) delete spec[field];
}

function sameClusterIps(spec: ServiceSpec, before: ServiceSpec): boolean {
  return spec.clusterIP === before.clusterIP && sameList(spec.clusterIPs, before.clusterIPs);
}

/** Ports may come and go, as long as none has a node port that was not there before. */
function keepsNodePorts(spec: ServiceSpec, before: ServiceSpec): boolean {
  const held = new Set((before.ports ?? []).map((port) => port.nodePort));
  return (spec.ports ?? []).every(({ nodePort }) => !nodePort || held.has(nodePort));
}
