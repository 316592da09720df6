// What kube-controller-manager measures of the EndpointSlices of Services: besides what is measured
// of all slices, how syncs end, and how traffic is to be distributed.

import type { Service } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import { countBy, type ControllerMetrics } from '../machinery/controller-metrics.ts';
import type { ServicePlan } from './plan-service.ts';
import { asksForHints } from './topology-hints.ts';
import { createSliceMetrics, type SliceMetrics } from './slice-metrics.ts';

export interface ServiceMetrics extends SliceMetrics {
  synced(result: 'success' | 'error' | 'stale'): void;
  /** How many slices a sync changed. */
  spread(service: Service, plan: ServicePlan): void;
}

const subsystem = 'endpoint_slice_controller';
/** Prometheus' own. */
const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const known = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

export function createServiceMetrics(metrics: ControllerMetrics): ServiceMetrics {
  const syncs = metrics.counter(`${subsystem}_syncs`, '[ALPHA] Number of EndpointSlice syncs');
  const changedSlices = metrics.histogram(
    `${subsystem}_endpointslices_changed_per_sync`,
    '[ALPHA] Number of EndpointSlices changed on each Service sync',
    defaultBuckets,
  );
  return {
    ...createSliceMetrics(metrics, { subsystem, ofEach: 'Service' }),
    synced: (result) => syncs.add({ result }),
    spread({ spec }, plan) {
      const labels = {
        topology: plan.wantsHints ? 'Auto' : 'Disabled',
        traffic_distribution: plan.wantsHints ? '' : (spec?.trafficDistribution ?? ''),
      };
      const count = plan.create.length + plan.update.length + plan.delete.length;
      changedSlices.observe(labels, count);
    },
  };
}

/** Returns what ends it. */
export function countDistributions(
  metrics: ControllerMetrics,
  services: Pick<Informer<Service>, 'store'>,
): () => void {
  return metrics.counted(
    `${subsystem}_services_count_by_traffic_distribution`,
    '[ALPHA] Number of Services using some specific trafficDistribution',
    () =>
      countBy(
        services.store
          .list()
          .filter(({ metadata }) => !asksForHints(metadata.annotations))
          .flatMap(({ spec }) => spec?.trafficDistribution ?? []),
        (one) => ({ traffic_distribution: known.includes(one) ? one : 'ImplementationSpecific' }),
      ),
  );
}
