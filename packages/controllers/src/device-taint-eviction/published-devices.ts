// The devices of ResourceSlices. A driver publishes a pool anew under a higher generation, and what
// is left of the one before counts no more.

import type { Device, ResourceSlice } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { DeviceName } from './rule-taints.ts';

/** A device as its pool's newest slices show it. */
export function findDevice(
  slices: readonly ResourceSlice[],
  wanted: DeviceName,
): Device | undefined {
  const ofPool = slices.filter(
    ({ spec: { driver, pool } }) => driver === wanted.driver && pool.name === wanted.pool,
  );
  return newest(ofPool)
    .flatMap(({ spec }) => spec.devices ?? [])
    .find(({ name }) => name === wanted.device);
}

export function publishedDevices(slices: readonly ResourceSlice[]): readonly DeviceName[] {
  const pools = Map.groupBy(slices, ({ spec }) => JSON.stringify([spec.driver, spec.pool.name]));
  return [...pools.values()].flatMap((ofPool) =>
    newest(ofPool).flatMap(({ spec: { driver, pool, devices = [] } }) =>
      devices.map(({ name }) => ({ driver, pool: pool.name, device: name })),
    ),
  );
}

function newest(ofPool: readonly ResourceSlice[]): readonly ResourceSlice[] {
  const generationOf = ({ spec }: ResourceSlice) => Number(spec.pool.generation);
  const generation = Math.max(...ofPool.map(generationOf));
  return ofPool.filter((slice) => generationOf(slice) === generation);
}
