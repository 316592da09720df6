// DeviceTaintRules (KEP-5055): an administrator taints devices that a driver has published. A rule
// selects by driver, pool and device; what it does not name, it does not ask for, and without a
// selector it selects nothing.

import type { GroupVersionResource } from '@keelson/apimachinery';
import type { Device, ResourceSlice } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { DeviceTaintRule } from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';

/** Undefined where the emulated release does not have them, or they are not served. */
export function servedTaintRules({
  isEnabled,
  isServed,
}: {
  readonly isEnabled: (gate: string) => boolean;
  readonly isServed: (resource: GroupVersionResource) => boolean;
}): GroupVersionResource | undefined {
  if (!isEnabled('DRADeviceTaintRules')) return undefined;
  return ['v1beta2', 'v1alpha3']
    .map((version) => ({ group: 'resource.k8s.io', version, resource: 'devicetaintrules' }))
    .find(isServed);
}

/** The slices with the taints of the rules on their devices, after those that they have. */
export function withRuleTaints(
  slices: readonly ResourceSlice[],
  rules: readonly DeviceTaintRule[],
): readonly ResourceSlice[] {
  if (rules.length === 0) return slices;
  const inOrder = rules.toSorted((a, b) =>
    (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1,
  );
  return slices.map((slice) => {
    const ofPool = inOrder.filter((rule) => selectsPool(rule, slice));
    if (ofPool.length === 0) return slice;
    const devices = (slice.spec.devices ?? []).map((device) => tainted(device, ofPool));
    return { ...slice, spec: { ...slice.spec, devices } };
  });
}

function selectsPool({ spec }: DeviceTaintRule, { spec: { driver, pool } }: ResourceSlice) {
  const { deviceSelector: selector } = spec;
  if (selector === undefined) return false;
  return (selector.driver ?? driver) === driver && (selector.pool ?? pool.name) === pool.name;
}

function tainted(device: Device, rules: readonly DeviceTaintRule[]): Device {
  const added = rules
    .filter(({ spec }) => (spec.deviceSelector?.device ?? device.name) === device.name)
    .map(({ spec }) => spec.taint);
  return added.length === 0 ? device : { ...device, taints: [...(device.taints ?? []), ...added] };
}
