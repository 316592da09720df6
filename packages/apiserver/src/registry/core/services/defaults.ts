// Defaults of Services. What depends on the cluster (addresses, families, node ports) is not
// defaulted here but allocated, see `allocation.ts`.

import type { Service, ServicePort, ServiceSpec } from '@keelson/apimachinery/types/core.v1';

/** Seconds for which a client keeps its endpoint under `sessionAffinity: ClientIP`. */
const clientIpTimeoutDefault = 10800;

export function applyServiceDefaults(service: Service): void {
  const { spec } = service;
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (
    spec.sessionAffinity === 'ClientIP' &&
    spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
  ) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: clientIpTimeoutDefault } };
  }
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) applyPortDefaults(port);
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (hasClusterIpType(spec)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of service.status?.loadBalancer?.ingress ?? []) {
      if (ingress.ip) ingress.ipMode ??= 'VIP';
    }
  }
}

function applyPortDefaults(port: ServicePort): void {
  port.protocol ||= 'TCP';
  if (!port.targetPort) port.targetPort = port.port ?? 0;
}

/** Reachable from outside the cluster: by node ports, a load balancer or external addresses. */
export function isExternallyAccessible(spec: ServiceSpec): boolean {
  return (
    spec.type === 'LoadBalancer' ||
    spec.type === 'NodePort' ||
    (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0)
  );
}

/** One of the types that have cluster IPs, as opposed to `ExternalName` and invalid types. */
export function hasClusterIpType(spec: ServiceSpec): boolean {
  return spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer';
}

/** A load balancer that must know which nodes have endpoints asks the health check node port. */
export function needsHealthCheck(spec: ServiceSpec): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}
