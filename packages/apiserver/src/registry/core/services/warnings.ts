// Warnings about Services (pkg/api/service GetWarningsForService).

import type { Service } from '@keelson/apimachinery/types/core.v1';
import { cidrWarnings, ipWarnings } from '../../validation/networks.ts';
import { headlessIp, isHeadless } from './linked-fields.ts';
import { topologyHintsAnnotation } from './validation.ts';

export function serviceWarnings({ metadata, spec }: Service): string[] {
  const warnings: string[] = [];
  if (metadata.annotations?.[topologyHintsAnnotation] !== undefined) {
    warnings.push(
      `annotation ${topologyHintsAnnotation} is deprecated, please use service.kubernetes.io/topology-mode instead`,
    );
  }
  const externalIps = spec.externalIPs ?? [];
  if (spec.clusterIP && spec.clusterIP !== headlessIp) {
    spec.clusterIPs?.forEach((ip, i) => warnings.push(...ipWarnings(`spec.clusterIPs[${i}]`, ip)));
  }
  if (isHeadless(spec)) {
    const ignored = 'is ignored when spec.clusterIP is "None"';
    if (spec.loadBalancerIP) warnings.push(`spec.loadBalancerIP ${ignored}`);
    if (externalIps.length > 0) warnings.push(`spec.externalIPs ${ignored}`);
    if (spec.sessionAffinity !== 'None') {
      warnings.push('spec.SessionAffinity is ignored for headless services');
    }
  }
  if (externalIps.length > 0) {
    warnings.push(
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    );
  }
  externalIps.forEach((ip, i) => warnings.push(...ipWarnings(`spec.externalIPs[${i}]`, ip)));
  spec.loadBalancerSourceRanges?.forEach((cidr, i) => {
    warnings.push(...cidrWarnings(`spec.loadBalancerSourceRanges[${i}]`, cidr));
  });
  if (spec.type === 'ExternalName' && externalIps.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (spec.type !== 'ExternalName' && spec.externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
