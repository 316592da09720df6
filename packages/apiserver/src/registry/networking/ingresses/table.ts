// `kubectl get ingresses`.

import type { Ingress } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { age, noneText } from '../../printing/cells.ts';

/** How many hosts the table shows. */
const hostsMax = 3;

export function ingressCells(ingress: Ingress, nowMs: number): unknown[] {
  const { spec, status } = ingress;
  const balancers = (status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || '');
  return [
    ingress.metadata.name,
    spec?.ingressClassName ?? noneText,
    hostsText(ingress),
    [...new Set(balancers.filter(Boolean))].sort().join(','),
    spec?.tls?.length ? '80, 443' : '80',
    age(ingress, nowMs),
  ];
}

function hostsText({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const shown: string[] = [];
  let hasMore = false;
  for (const { host } of rules) {
    if (shown.length === hostsMax) hasMore = true;
    else if (host) shown.push(host);
  }
  if (shown.length === 0) return '*';
  const text = shown.join(',');
  return hasMore ? `${text} + ${rules.length - hostsMax} more...` : text;
}
