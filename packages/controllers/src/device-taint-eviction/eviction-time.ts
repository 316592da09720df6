// When a claim's devices must be given up: as soon as one of them has a taint with the effect
// NoExecute that the claim does not bear, or has borne for as long as it said. The time counts from
// when the taint was added, so a controller that starts anew comes to the same time.

import type {
  AllocationResult,
  DeviceTaint,
  DeviceToleration,
  ResourceSlice,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { DeviceTaintRule } from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';
import { tolerates } from '../pods/tolerations.ts';
import { findDevice } from './published-devices.ts';
import { selectsDevice } from './rule-taints.ts';

export interface Eviction {
  /** Milliseconds since 1970. */
  readonly dueMs: number;
  /** Those that are among the reasons, now or later. */
  readonly rules: readonly DeviceTaintRule[];
}
export interface Taints {
  /** With the taints of drivers. */
  readonly slices: readonly ResourceSlice[];
  readonly rules: readonly DeviceTaintRule[];
}

/** Undefined when nothing is to be given up. A rule need not know that the device is published. */
export function evictionOf(
  allocation: AllocationResult,
  { slices, rules }: Taints,
): Eviction | undefined {
  return earliest(
    (allocation.devices?.results ?? []).flatMap((result) => {
      const { tolerations = [] } = result;
      const own = (findDevice(slices, result)?.taints ?? []).map((taint) =>
        evictionBy(taint, tolerations),
      );
      const ofRules = rules
        .filter((rule) => selectsDevice(rule, result))
        .map((rule) => evictionBy(rule.spec.taint, tolerations, [rule]));
      return [...own, ...ofRules];
    }),
  );
}

/** The first of them, for the reasons of all. */
export function earliest(evictions: readonly (Eviction | undefined)[]): Eviction | undefined {
  const all = evictions.filter((eviction) => eviction !== undefined);
  if (all.length === 0) return undefined;
  return {
    dueMs: Math.min(...all.map(({ dueMs }) => dueMs)),
    rules: [...new Set(all.flatMap(({ rules }) => rules))],
  };
}

function evictionBy(
  taint: DeviceTaint,
  tolerations: readonly DeviceToleration[],
  rules: readonly DeviceTaintRule[] = [],
): Eviction | undefined {
  if (taint.effect !== 'NoExecute') return undefined;
  const dueMs = timeOf(taint, tolerations);
  return dueMs === Infinity ? undefined : { dueMs, rules };
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
