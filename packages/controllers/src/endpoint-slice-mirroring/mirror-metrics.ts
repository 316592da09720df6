// What kube-controller-manager measures of mirrored Endpoints, besides what is measured of all
// slices.

import { durationBuckets, type ControllerMetrics } from '../machinery/controller-metrics.ts';
import {
  createSliceMetrics,
  perSyncBuckets,
  type SliceMetrics,
} from '../endpoint-slice/slice-metrics.ts';

export interface MirrorMetrics extends SliceMetrics {
  /** One of the Endpoints was looked at. */
  synced(seconds: number): void;
  /** Addresses that are none, or are too many. */
  skipped(addresses: number): void;
  updated(endpoints: number): void;
}

const subsystem = 'endpoint_slice_mirroring_controller';

export function createMirrorMetrics(metrics: ControllerMetrics): MirrorMetrics {
  const updated = metrics.histogram(
    `${subsystem}_endpoints_updated_per_sync`,
    '[ALPHA] Number of endpoints updated on each Endpoints sync',
    perSyncBuckets,
  );
  const skipped = metrics.histogram(
    `${subsystem}_addresses_skipped_per_sync`,
    '[ALPHA] Number of addresses skipped on each Endpoints sync due to being invalid or exceeding MaxEndpointsPerSubset',
    perSyncBuckets,
  );
  const seconds = metrics.histogram(
    `${subsystem}_endpoints_sync_duration`,
    '[ALPHA] Duration of syncEndpoints() in seconds',
    durationBuckets,
  );
  return {
    ...createSliceMetrics(metrics, { subsystem, ofEach: 'Endpoints' }),
    synced: (took) => seconds.observe({}, took),
    skipped: (addresses) => skipped.observe({}, addresses),
    updated: (endpoints) => updated.observe({}, endpoints),
  };
}
