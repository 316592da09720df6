// Defaults of NetworkPolicies: TCP, and the policy types that the rules tell.

import type { NetworkPolicy } from '@keelson/apimachinery/types/networking.k8s.io.v1';

export function applyNetworkPolicyDefaults({ spec }: NetworkPolicy): void {
  if (!spec) return;
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
  }
  if (spec.policyTypes?.length) return;
  // Ingress is always meant; egress only when there are rules for it.
  spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
}
