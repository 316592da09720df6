// `kubectl get services`.

import type { Service, ServicePort } from '@keelson/apimachinery/types/core.v1';
import { age, labelText, noneText, unknownText } from '../../printing/cells.ts';

export function serviceCells(service: Service, nowMs: number): unknown[] {
  const { spec } = service;
  return [
    service.metadata.name,
    spec.type,
    spec.clusterIPs?.[0] ?? noneText,
    externalAddress(service),
    (spec.ports ?? []).map(portText).join(',') || noneText,
    age(service, nowMs),
    labelText(spec.selector),
  ];
}

function externalAddress(service: Service): string {
  const { spec } = service;
  const externalIps = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return externalIps.join(',') || noneText;
    case 'LoadBalancer': {
      const ingress = service.status?.loadBalancer?.ingress ?? [];
      const balancers = new Set(ingress.map((i) => i.ip || i.hostname || '').filter(Boolean));
      return [...[...balancers].sort(), ...externalIps].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return unknownText;
  }
}

function portText({ port, protocol, nodePort }: ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}
