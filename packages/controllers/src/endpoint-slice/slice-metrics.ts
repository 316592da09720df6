// What kube-controller-manager measures of EndpointSlices, by whichever controller writes them:
// changes, endpoints that come and go, and how far the slices that are there are from as few as
// could be.

import type { Endpoint, EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { jsonEqual, type JsonValue } from '@keelson/apimachinery';
import { exponentialBuckets, type ControllerMetrics } from '../machinery/controller-metrics.ts';
import { endpointKey, type SlicePlan } from './plan-slices.ts';
import { portsKey } from './port-order.ts';

/** What one owner of slices needs. */
export interface SliceNeeds {
  readonly endpoints: number;
  /** Slices that are there, and that there would be if all were full. */
  readonly slices: number;
  readonly slicesAtBest: number;
}

export interface SliceMetrics {
  /** The plan was carried out. */
  changed(plan: SlicePlan, changes: EndpointChanges): void;
  /** Undefined when the owner is gone. */
  needs(owner: string, needs: SliceNeeds | undefined): void;
}

export interface SliceMetricsOptions {
  readonly subsystem: string;
  /** Whose sync it is: `Service`. */
  readonly ofEach: string;
}

export const perSyncBuckets: readonly number[] = exponentialBuckets(2, 2, 15);
const none: SliceNeeds = { endpoints: 0, slices: 0, slicesAtBest: 0 };

export function createSliceMetrics(
  metrics: ControllerMetrics,
  { subsystem, ofEach }: SliceMetricsOptions,
): SliceMetrics {
  const gauge = (name: string, help: string) =>
    metrics.gauge(`${subsystem}_${name}`, `[ALPHA] ${help}`);
  const perSync = (what: string) =>
    metrics.histogram(
      `${subsystem}_endpoints_${what}_per_sync`,
      `[ALPHA] Number of endpoints ${what} on each ${ofEach} sync`,
      perSyncBuckets,
    );
  const changes = metrics.counter(
    `${subsystem}_changes`,
    '[ALPHA] Number of EndpointSlice changes',
  );
  const added = perSync('added');
  const removed = perSync('removed');
  const gauges = {
    endpoints: gauge('endpoints_desired', 'Number of endpoints desired'),
    slices: gauge('num_endpoint_slices', 'Number of EndpointSlices'),
    slicesAtBest: gauge(
      'desired_endpoint_slices',
      'Number of EndpointSlices that would exist with perfect endpoint allocation',
    ),
  } as const;
  const owners = new Map<string, SliceNeeds>();
  const total = { ...none };
  return {
    changed(plan, endpoints) {
      for (const operation of ['create', 'update', 'delete'] as const)
        if (plan[operation].length > 0) changes.add({ operation }, plan[operation].length);
      added.observe({}, endpoints.added);
      removed.observe({}, endpoints.removed);
    },
    needs(owner, next) {
      const before = owners.get(owner) ?? none;
      if (next === undefined) owners.delete(owner);
      else owners.set(owner, next);
      for (const what of ['endpoints', 'slices', 'slicesAtBest'] as const) {
        total[what] += (next ?? none)[what] - before[what];
        gauges[what].set({}, total[what]);
      }
    },
  };
}

export interface EndpointChanges {
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
}

/** What a plan does to endpoints; one that moves from slice to slice has not changed. */
export function endpointChanges(
  { create, update, delete: deleted }: SlicePlan,
  existing: readonly EndpointSlice[],
): EndpointChanges {
  const written = new Set(update.map(({ metadata }) => metadata.name));
  const before = endpointsOf([
    ...existing.filter(({ metadata }) => written.has(metadata.name)),
    ...deleted,
  ]);
  const after = endpointsOf([...create, ...update]);
  const isOther = ([key, endpoint]: [string, Endpoint]) => {
    const old = before.get(key);
    return old !== undefined && !jsonEqual(asJson(old), asJson(endpoint));
  };
  return {
    added: [...after.keys()].filter((key) => !before.has(key)).length,
    updated: [...after].filter(isOther).length,
    removed: [...before.keys()].filter((key) => !after.has(key)).length,
  };
}

function endpointsOf(slices: readonly EndpointSlice[]): ReadonlyMap<string, Endpoint> {
  return new Map(
    slices.flatMap(({ ports, endpoints }) =>
      (endpoints ?? []).map((one) => [`${portsKey(ports ?? [])} ${endpointKey(one)}`, one]),
    ),
  );
}

const asJson = (endpoint: Endpoint) => endpoint as unknown as JsonValue;
