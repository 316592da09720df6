// What kube-controller-manager measures of the ranges that nodes get their blocks from.

import { exponentialBuckets, type ControllerMetrics } from '../machinery/controller-metrics.ts';

export interface CidrSetMeter {
  /** How many blocks there are. */
  size(blocks: number): void;
  taken(blocks: number): void;
  released(blocks: number): void;
  /** Which part of them is in use, from 0 to 1. */
  used(share: number): void;
  /** How many were not free before one was. */
  tried(times: number): void;
}

/** `clusterCidr`: of the range. */
export function createCidrSetMeter(metrics: ControllerMetrics, clusterCidr: string): CidrSetMeter {
  const labels = { clusterCIDR: clusterCidr };
  const name = (what: string) => `node_ipam_controller_${what}`;
  const allocations = metrics.counter(
    name('cidrset_cidrs_allocations_total'),
    '[ALPHA] Counter measuring total number of CIDR allocations.',
  );
  const releases = metrics.counter(
    name('cidrset_cidrs_releases_total'),
    '[ALPHA] Counter measuring total number of CIDR releases.',
  );
  const size = metrics.gauge(
    // COMPAT: spelled like that.
    name('cirdset_max_cidrs'),
    '[ALPHA] Maximum number of CIDRs that can be allocated.',
  );
  const usage = metrics.gauge(
    name('cidrset_usage_cidrs'),
    '[ALPHA] Gauge measuring percentage of allocated CIDRs.',
  );
  const tries = metrics.histogram(
    name('cidrset_allocation_tries_per_request'),
    // COMPAT: that is what it is said to be.
    '[ALPHA] Number of endpoints added on each Service sync',
    exponentialBuckets(1, 5, 5),
  );
  return {
    size: (blocks) => size.set(labels, blocks),
    taken: (blocks) => allocations.add(labels, blocks),
    released: (blocks) => releases.add(labels, blocks),
    used: (share) => usage.set(labels, share),
    tried: (times) => tries.observe(labels, times),
  };
}
