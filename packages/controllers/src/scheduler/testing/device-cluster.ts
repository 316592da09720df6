// A cluster of two nodes for tests of device allocation, of which one has devices: claims, slices and one
// class are handed in, and which devices a pod gets comes back.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type {
  AllocationResult,
  Device,
  DeviceClaim,
  DeviceClass,
  ResourceClaim,
  ResourceSlice,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { collectAllocated } from '../dra/allocated-devices.ts';
import type { ClaimTracker } from '../dra/claim-tracker.ts';
import { extendedOwners, resourcesOfClass } from '../dra/extended-resources.ts';
import { summarizePod } from '../snapshot/pod-summary.ts';
import { createSchedulingCluster, testNode, testPod } from './scheduling-cluster.ts';

export const driver = 'gpu.example.com';
export const gpu = (name: string, numa: number, more: Partial<Device> = {}): Device => ({
  name,
  attributes: { numa: { int: numa }, model: { string: numa === 0 ? 'small' : 'large' } },
  capacity: { memory: { value: '8Gi' } },
  ...more,
});
export const slice = (name: string, devices: Device[], more: object = {}): ResourceSlice => ({
  metadata: { name },
  spec: {
    driver,
    nodeName: 'a',
    pool: { name: 'a', generation: 1, resourceSliceCount: 1 },
    devices,
    ...more,
  },
});
export const claim = (
  name: string,
  devices: DeviceClaim,
  more: Partial<ResourceClaim> = {},
): ResourceClaim => ({
  metadata: { name, namespace: 'n', uid: `claim-${name}` },
  spec: { devices },
  ...more,
});
export const request = (more: object = {}) => ({
  name: 'r',
  exactly: { deviceClassName: 'gpu', ...more },
});
export const selecting = (expression: string) => ({ selectors: [{ cel: { expression } }] });
export const using = (name: string, ...claims: string[]): Pod =>
  testPod(name, { resourceClaims: claims.map((c) => ({ name: c, resourceClaimName: c })) });

interface Devices {
  readonly slices: readonly ResourceSlice[];
  readonly claims: readonly ResourceClaim[];
  readonly disabled?: readonly string[];
  /** By which its devices can be asked for, too. */
  readonly resourceName?: string;
}

export function createDeviceCluster({ slices, claims, disabled = [], resourceName }: Devices) {
  const decided = new Map<string, AllocationResult>();
  const results = (allocation: AllocationResult | undefined) => allocation?.devices?.results ?? [];
  const gpuClass: DeviceClass = {
    metadata: { name: 'gpu' },
    spec: {
      ...selecting(`device.driver == "${driver}"`),
      ...(resourceName !== undefined && { extendedResourceName: resourceName }),
    },
  };
  const tracker: ClaimTracker = {
    claim: (_namespace, name) => claims.find(({ metadata }) => metadata.name === name),
    deviceClass: (name) => (name === 'gpu' ? gpuClass : undefined),
    classOfResource: (resource) =>
      resourcesOfClass(gpuClass).includes(resource) ? gpuClass : undefined,
    extendedClaimOf: ({ uid }) => claims.find((one) => extendedOwners(one).includes(uid)),
    slices: () => slices,
    allocated: () =>
      collectAllocated([...claims.map(({ status }) => status?.allocation), ...decided.values()]),
    isInFlight: ({ metadata: { uid = '' } }) => decided.has(uid),
    decide({ metadata: { uid = '' } }, allocation) {
      decided.set(uid, allocation);
      return () => void decided.delete(uid);
    },
  };
  const cluster = createSchedulingCluster({
    devices: tracker,
    isEnabled: (gate) => !disabled.includes(gate),
  });
  for (const name of ['a', 'b']) cluster.cluster.putNode(testNode(name));
  /** The devices that the pod gets, or why it gets none. */
  const devicesFor = (pod: Pod): string[] | string => {
    const summary = summarizePod(pod);
    const result = cluster.cycle.schedule(summary);
    if (result.kind === 'none') return result.message.split('. ')[0] ?? '';
    const before = new Set(decided.keys());
    for (const plugin of cluster.plugins) plugin.reserve?.(summary, result.node);
    const fresh = [...decided]
      .filter(([uid]) => !before.has(uid))
      .map(([, allocation]) => allocation);
    return fresh.flatMap((allocation) =>
      results(allocation).map(({ request: name, device }) => `${name}=${device}`),
    );
  };
  return { cluster, devicesFor, decided };
}

export const four = [gpu('g0', 0), gpu('g1', 1), gpu('g2', 0), gpu('g3', 1)];
export const cannot = '0/2 nodes are available: 2 cannot allocate all claims';
export const busy = (device: string) =>
  claim(
    'busy',
    { requests: [request()] },
    {
      status: {
        allocation: { devices: { results: [{ request: 'r', driver, pool: 'a', device }] } },
      },
    },
  );
