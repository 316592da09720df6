// When a claim's devices must be given up: as soon as one of them has a taint with the effect
// NoExecute that the claim does not bear, or has borne for as long as it said. The time counts from
// when the taint was added, so a controller that starts anew comes to the same time.

import type {
  AllocationResult,
  Device,
  DeviceTaint,
  DeviceToleration,
  ResourceSlice,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { tolerates } from '../pods/tolerations.ts';

/** Finds a device as its pool's newest slices show it. */
export function findDevice(
  slices: readonly ResourceSlice[],
  wanted: { readonly driver: string; readonly pool: string; readonly device: string },
): Device | undefined {
  const ofPool = slices.filter(
    ({ spec: { driver, pool } }) => driver === wanted.driver && pool.name === wanted.pool,
  );
  const newest = Math.max(...ofPool.map(generationOf));
  return ofPool
    .filter((slice) => generationOf(slice) === newest)
    .flatMap(({ spec }) => spec.devices ?? [])
    .find(({ name }) => name === wanted.device);
}
const generationOf = ({ spec }: ResourceSlice) => Number(spec.pool.generation);

/** Milliseconds since 1970; undefined when nothing is to be given up. */
export function evictionTime(
  allocation: AllocationResult,
  slices: readonly ResourceSlice[],
): number | undefined {
  const times = (allocation.devices?.results ?? []).flatMap((result) =>
    (findDevice(slices, result)?.taints ?? [])
      .filter(({ effect }) => effect === 'NoExecute')
      .map((taint) => timeOf(taint, result.tolerations ?? [])),
  );
  const first = Math.min(...times);
  return first === Infinity ? undefined : first;
}

/** Of tolerations that end, the one that ends first counts. */
function timeOf(taint: DeviceTaint, tolerations: readonly DeviceToleration[]): number {
  const bearing = tolerations.filter((toleration) => isForExecution(toleration, taint));
  if (bearing.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) return Infinity;
  const seconds = bearing.map(({ tolerationSeconds }) => Math.max(0, Number(tolerationSeconds)));
  const tolerated = seconds.length === 0 ? 0 : Math.min(...seconds);
  return (Date.parse(taint.timeAdded ?? '') || 0) + tolerated * 1000;
}

function isForExecution(toleration: DeviceToleration, taint: DeviceTaint): boolean {
  const { effect = '' } = toleration;
  return (effect === '' || effect === 'NoExecute') && tolerates(toleration, taint);
}
