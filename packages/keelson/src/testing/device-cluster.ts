// A cluster with one node and one device, for tests: a pod that asks for the device gets it.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { DeviceTaint, ResourceSlice } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Client } from '@keelson/client';
import { core } from './simulated-cluster.ts';

export const deviceResource = (resource: string, version = 'v1') => ({
  group: 'resource.k8s.io',
  version,
  resource,
});
const driver = 'gpu.example.com';

/** A node `n`, a device `gpu`, a class and a claim of it, and the pod `p`, which waits for it. */
export async function addDevicePod(
  client: Client,
  tolerations: readonly { readonly [field: string]: string | number }[] = [],
): Promise<void> {
  const status = {
    allocatable: { cpu: '4', memory: '8Gi', pods: '10' },
    conditions: [{ type: 'Ready', status: 'True' }],
  };
  await client.resource(core('nodes')).create({ metadata: { name: 'n' }, status } as never);
  await client.resource(deviceResource('resourceslices')).create(sliceWith([]));
  const expression = `device.driver == "${driver}"`;
  const selecting = { metadata: { name: 'gpu' }, spec: { selectors: [{ cel: { expression } }] } };
  await client.resource(deviceResource('deviceclasses')).create(selecting);
  const exactly = { deviceClassName: 'gpu', tolerations: [...tolerations] };
  const claim = {
    metadata: { name: 'c' },
    spec: { devices: { requests: [{ name: 'r', exactly }] } },
  };
  await client.resource(deviceResource('resourceclaims')).namespace('default').create(claim);
  const pod: Pod = {
    metadata: { name: 'p' },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { claims: [{ name: 'gpu' }] } }],
      resourceClaims: [{ name: 'gpu', resourceClaimName: 'c' }],
    },
  };
  await client.resource<Pod>(core('pods')).namespace('default').create(pod);
}

export async function taintDevice(client: Client, taints: readonly DeviceTaint[]): Promise<void> {
  const slices = client.resource<ResourceSlice>(deviceResource('resourceslices'));
  const { metadata } = await slices.get('s');
  await slices.update({ ...sliceWith(taints), metadata });
}

function sliceWith(taints: readonly DeviceTaint[]): ResourceSlice {
  return {
    metadata: { name: 's' },
    spec: {
      driver,
      pool: { name: 'n', generation: 1, resourceSliceCount: 1 },
      allNodes: true,
      devices: [{ name: 'gpu', ...(taints.length > 0 && { taints: [...taints] }) }],
    },
  };
}
