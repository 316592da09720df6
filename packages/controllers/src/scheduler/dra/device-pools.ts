// The pools of devices that a node can reach. Only the newest generation of a pool counts, and only
// when all of its slices are there; devices of other pools are never given out.

import type {
  Counter,
  Device,
  ResourceSlice,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { compileNodeSelector } from '../snapshot/node-selector.ts';
import type { NodeState } from '../snapshot/node-state.ts';

export interface PoolDevice {
  /** `driver/pool/device`. */
  readonly id: string;
  readonly driver: string;
  readonly pool: string;
  readonly device: Device;
  readonly slice: ResourceSlice;
}

export interface DevicePool {
  readonly driver: string;
  readonly name: string;
  readonly problem?: 'incomplete' | 'invalid';
  /** Those that the node can reach, in the order in which they are tried. */
  readonly devices: readonly PoolDevice[];
  /** Of the whole pool: what its allocated devices use up is not left for others. */
  readonly allDevices: readonly PoolDevice[];
  /** By set, then by counter. */
  readonly counters: ReadonlyMap<string, Readonly<Record<string, Counter>>>;
}

export function deviceId(driver: string, pool: string, device: string): string {
  return `${driver}/${pool}/${device}`;
}

export interface PoolFeatures {
  /** Devices may share counters, and each say where it is (KEP-4815). */
  readonly hasPartitions: boolean;
}

/**
 * In the order in which they are tried: those with devices that must be waited for come last. Slices
 * that the release does not understand are left out, which makes their pool incomplete.
 */
export function poolsOf(
  slices: readonly ResourceSlice[],
  node: NodeState,
  { hasPartitions }: PoolFeatures,
): readonly DevicePool[] {
  const groups = new Map<string, ResourceSlice[]>();
  for (const slice of slices) {
    if (!hasPartitions && isPartitioned(slice)) continue;
    const key = `${slice.spec.driver} ${slice.spec.pool.name}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slice]);
    else group.push(slice);
  }
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, group]) => poolOf(group, node) ?? [])
    .toSorted((a, b) => Number(mustBeAwaited(a)) - Number(mustBeAwaited(b)));
}

function isPartitioned({ spec }: ResourceSlice): boolean {
  return (spec.sharedCounters ?? []).length > 0 || spec.perDeviceNodeSelection === true;
}

function mustBeAwaited({ devices }: DevicePool): boolean {
  return devices.some(({ device }) => (device.bindingConditions ?? []).length > 0);
}

function poolOf(group: readonly ResourceSlice[], node: NodeState): DevicePool | undefined {
  const visible = group.filter((slice) => isVisible(slice, node));
  if (visible.length === 0) return undefined;
  const newest = (of: readonly ResourceSlice[]) => Math.max(...of.map(generationOf));
  const generation = newest(visible);
  // A newer generation that the node does not see has taken the devices away.
  if (newest(group) > generation) return undefined;
  const current = group
    .filter((slice) => generationOf(slice) === generation)
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const [first] = current;
  if (first === undefined) return undefined;
  const { driver, pool } = first.spec;
  const allDevices = current.flatMap((slice) => devicesOf(slice));
  const reachable = new Set(visible);
  const devices = allDevices.filter(
    ({ slice, device }) => reachable.has(slice) && isDeviceVisible(slice, device, node),
  );
  const counters = new Map(
    current.flatMap(({ spec }) =>
      (spec.sharedCounters ?? []).map((set): [string, Record<string, Counter>] => [
        set.name,
        set.counters,
      ]),
    ),
  );
  const problem = problemOf(current, allDevices, counters);
  return {
    driver,
    name: pool.name,
    devices,
    allDevices,
    counters,
    ...(problem !== undefined && { problem }),
  };
}

function generationOf({ spec }: ResourceSlice): number {
  return Number(spec.pool.generation);
}

function devicesOf(slice: ResourceSlice): PoolDevice[] {
  const { driver, pool, devices = [] } = slice.spec;
  return devices.map((device) => ({
    id: deviceId(driver, pool.name, device.name),
    driver,
    pool: pool.name,
    device,
    slice,
  }));
}

function problemOf(
  slices: readonly ResourceSlice[],
  devices: readonly PoolDevice[],
  counters: DevicePool['counters'],
): DevicePool['problem'] {
  const wanted = Number(slices[0]?.spec.pool.resourceSliceCount ?? 0);
  if (slices.length < wanted) return 'incomplete';
  if (new Set(devices.map(({ id }) => id)).size < devices.length) return 'invalid';
  const knowsCounters = devices.every(({ device }) =>
    (device.consumesCounters ?? []).every(({ counterSet, counters: used }) => {
      const set = counters.get(counterSet);
      return set !== undefined && Object.keys(used).every((name) => Object.hasOwn(set, name));
    }),
  );
  return knowsCounters ? undefined : 'invalid';
}

function isVisible({ spec }: ResourceSlice, node: NodeState): boolean {
  if ((spec.sharedCounters ?? []).length > 0) return true;
  if (spec.perDeviceNodeSelection === true) {
    return (spec.devices ?? []).some((device) => selectsNode(device, node));
  }
  return selectsNode(spec, node);
}

function isDeviceVisible({ spec }: ResourceSlice, device: Device, node: NodeState): boolean {
  return spec.perDeviceNodeSelection === true ? selectsNode(device, node) : selectsNode(spec, node);
}

function selectsNode(
  { nodeName, nodeSelector, allNodes }: Pick<Device, 'nodeName' | 'nodeSelector' | 'allNodes'>,
  node: NodeState,
): boolean {
  if (nodeName !== undefined) return nodeName === node.name;
  if (nodeSelector !== undefined) return compileNodeSelector(nodeSelector)(node);
  return allNodes === true;
}
