// Counts services: all of them, load balancers, and node ports. A load balancer takes a node port
// for each of its ports, unless it says allocateLoadBalancerNodePorts: false; then those that it
// names count. Updates count too, because the type of a service may change.

import {
  createQuantity,
  type KubeObject,
  oneQuantity as one,
  zeroQuantity as zero,
} from '@keelson/apimachinery';
import type { Service } from '@keelson/apimachinery/types/core.v1';
import { asKind } from '../../request-match.ts';
import { noScope, objectCountName, type QuotaEvaluator } from './evaluator.ts';

const countName = objectCountName('', 'services');
const names = [countName, 'services', 'services.nodeports', 'services.loadbalancers'];

export function createServiceEvaluator(): QuotaEvaluator {
  return {
    handles: ({ operation }) => operation === 'CREATE' || operation === 'UPDATE',
    matchingNames: (wanted) => wanted.filter((name) => names.includes(name)),
    matchesScope: noScope,
    usage(object: KubeObject) {
      const service = asKind<Service>(object);
      return new Map([
        [countName, one],
        ['services', one],
        ['services.nodeports', createQuantity(nodePortsOf(service))],
        ['services.loadbalancers', service.spec?.type === 'LoadBalancer' ? one : zero],
      ]);
    },
  };
}

function nodePortsOf({ spec = {} }: Service): number {
  const ports = spec.ports ?? [];
  if (spec.type === 'NodePort') return ports.length;
  if (spec.type !== 'LoadBalancer') return 0;
  if (spec.allocateLoadBalancerNodePorts !== false) return ports.length;
  return ports.filter((port) => (port.nodePort ?? 0) !== 0).length;
}
