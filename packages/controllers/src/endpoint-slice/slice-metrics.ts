// What kube-controller-manager measures of EndpointSlices: changes, syncs, and how far the slices
// that are there are from as few as could be.

import type { ControllerMetrics } from '../machinery/controller-metrics.ts';
import type { SlicePlan } from './plan-slices.ts';

/** What one Service needs. */
export interface ServiceNeeds {
  readonly endpoints: number;
  /** Slices that are there, and that there would be if all were full. */
  readonly slices: number;
  readonly slicesAtBest: number;
}

export interface SliceMetrics {
  synced(result: 'success' | 'error' | 'stale'): void;
  changed(plan: SlicePlan): void;
  /** Undefined when the Service is gone. */
  needs(service: string, needs: ServiceNeeds | undefined): void;
}

const none: ServiceNeeds = { endpoints: 0, slices: 0, slicesAtBest: 0 };

export function createSliceMetrics(metrics: ControllerMetrics): SliceMetrics {
  const named = (name: string) => `endpoint_slice_controller_${name}`;
  const syncs = metrics.counter(named('syncs'), '[ALPHA] Number of EndpointSlice syncs');
  const changes = metrics.counter(named('changes'), '[ALPHA] Number of EndpointSlice changes');
  const gauges = {
    endpoints: metrics.gauge(named('endpoints_desired'), '[ALPHA] Number of endpoints desired'),
    slices: metrics.gauge(named('num_endpoint_slices'), '[ALPHA] Number of EndpointSlices'),
    slicesAtBest: metrics.gauge(
      named('desired_endpoint_slices'),
      '[ALPHA] Number of EndpointSlices that would exist with perfect endpoint allocation',
    ),
  } as const;
  const services = new Map<string, ServiceNeeds>();
  const total = { ...none };
  return {
    synced: (result) => syncs.add({ result }),
    changed(plan) {
      for (const operation of ['create', 'update', 'delete'] as const)
        if (plan[operation].length > 0) changes.add({ operation }, plan[operation].length);
    },
    needs(service, next) {
      const before = services.get(service) ?? none;
      if (next === undefined) services.delete(service);
      else services.set(service, next);
      for (const what of ['endpoints', 'slices', 'slicesAtBest'] as const) {
        total[what] += (next ?? none)[what] - before[what];
        gauges[what].set({}, total[what]);
      }
    },
  };
}
