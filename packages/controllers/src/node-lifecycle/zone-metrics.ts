// What kube-controller-manager measures of nodes: how many are well in each zone, how long it takes
// to look at them, and how many were taken out of use.

import type { Node } from '@keelson/apimachinery/types/core.v1';
import { exponentialBuckets, type ControllerMetrics } from '../machinery/controller-metrics.ts';
import { readyConditionOf } from './node-health.ts';
import { zoneLabelOf } from './zones.ts';

export interface ZoneMetrics {
  /** All nodes as they are now. */
  looked(nodes: readonly Node[], seconds: number): void;
  lookedAtOne(seconds: number): void;
  evicting(node: Node): void;
}

export function createZoneMetrics(metrics: ControllerMetrics): ZoneMetrics {
  const gauge = (name: string, help: string) =>
    metrics.gauge(`node_collector_${name}`, `[ALPHA] ${help}`);
  const size = gauge('zone_size', 'Gauge measuring number of registered Nodes per zones.');
  const health = gauge('zone_health', 'Gauge measuring percentage of healthy nodes per zone.');
  const unhealthy = gauge(
    'unhealthy_nodes_in_zone',
    'Gauge measuring number of not Ready Nodes per zones.',
  );
  const evictions = metrics.counter(
    'node_collector_evictions_total',
    '[STABLE] Number of Node evictions that happened since current instance of NodeController started.',
  );
  const allSeconds = metrics.histogram(
    'node_collector_update_all_nodes_health_duration_seconds',
    '[ALPHA] Duration in seconds for NodeController to update the health of all nodes.',
    exponentialBuckets(0.01, 4, 8),
  );
  const oneSeconds = metrics.histogram(
    'node_collector_update_node_health_duration_seconds',
    '[ALPHA] Duration in seconds for NodeController to update the health of a single node.',
    exponentialBuckets(0.001, 4, 8),
  );
  let shown: ReadonlySet<string> = new Set();
  return {
    looked(nodes, seconds) {
      allSeconds.observe({}, seconds);
      const zones = Map.groupBy(nodes, zoneLabelOf);
      for (const [zone, members] of zones) {
        const ready = members.filter((node) => readyConditionOf(node)?.status === 'True').length;
        size.set({ zone }, members.length);
        unhealthy.set({ zone }, members.length - ready);
        health.set({ zone }, (100 * ready) / members.length);
      }
      for (const zone of shown)
        if (!zones.has(zone)) for (const one of [size, unhealthy, health]) one.remove({ zone });
      shown = new Set(zones.keys());
    },
    lookedAtOne: (seconds) => oneSeconds.observe({}, seconds),
    evicting: (node) => evictions.add({ zone: zoneLabelOf(node) }),
  };
}
