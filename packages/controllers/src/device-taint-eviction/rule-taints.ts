// DeviceTaintRules (KEP-5055): an administrator taints devices that a driver has published. A rule
// selects by driver, pool and device; what it does not name, it does not ask for, and without a
// selector it selects nothing.

import type { GroupVersionResource } from '@keelson/apimachinery';
import type {
  Device,
  DeviceTaint,
  ResourceSlice,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
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
    const { driver, pool, devices = [] } = slice.spec;
    const ofPool = inOrder.filter((rule) => selectsPool(rule, { driver, pool: pool.name }));
    if (ofPool.length === 0) return slice;
    const taintsOf = ({ name }: Device) =>
      ofPool
        .filter((rule) => selectsDevice(rule, { driver, pool: pool.name, device: name }))
        .map(({ spec }) => spec.taint);
    const tainted = devices.map((device) => withTaints(device, taintsOf(device)));
    return { ...slice, spec: { ...slice.spec, devices: tainted } };
  });
}

export interface DeviceName {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
}

export function selectsDevice(rule: DeviceTaintRule, name: DeviceName): boolean {
  return (
    selectsPool(rule, name) && (rule.spec.deviceSelector?.device ?? name.device) === name.device
  );
}

function selectsPool(
  { spec: { deviceSelector: selector } }: DeviceTaintRule,
  { driver, pool }: Pick<DeviceName, 'driver' | 'pool'>,
): boolean {
  if (selector === undefined) return false;
  return (selector.driver ?? driver) === driver && (selector.pool ?? pool) === pool;
}

function withTaints(device: Device, taints: readonly DeviceTaint[]): Device {
  return taints.length === 0
    ? device
    : { ...device, taints: [...(device.taints ?? []), ...taints] };
}
