// Which devices pods get that ask for them by names of resources (KEP-5004).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import {
  busy,
  cannot,
  claim,
  createDeviceCluster,
  four,
  request,
  slice,
} from '../testing/device-cluster.ts';
import { asking, testNode, testPod } from '../testing/scheduling-cluster.ts';

const gpuResource = 'example.com/gpu';
const implicitResource = 'deviceclass.resource.kubernetes.io/gpu';

interface ExtendedRow {
  readonly what: string;
  readonly asked: Readonly<Record<string, string>>;
  readonly expected: string[] | string;
  /** What node b has of it itself. */
  readonly ownOfB?: Readonly<Record<string, string>>;
  readonly others?: readonly ResourceClaim[];
  readonly disabled?: readonly string[];
  readonly claims?: readonly string[];
}

const extendedRows: readonly ExtendedRow[] = [
  {
    what: 'by the name in the class',
    asked: { [gpuResource]: '2' },
    expected: ['container-0-request-0=g0', 'container-0-request-0=g1'],
  },
  {
    what: 'by the name of the class',
    asked: { [implicitResource]: '1' },
    expected: ['container-0-request-0=g0'],
  },
  {
    what: 'by both, beside what nodes have themselves',
    asked: { cpu: '1', [implicitResource]: '1', [gpuResource]: '1' },
    expected: ['container-0-request-1=g0', 'container-0-request-2=g1'],
  },
  {
    what: 'beside those of a claim',
    asked: { [gpuResource]: '1' },
    claims: ['c'],
    expected: ['r=g0', 'container-0-request-0=g1'],
  },
  {
    what: 'more than there are',
    asked: { [gpuResource]: '5' },
    expected: cannot,
  },
  {
    what: 'more than are free',
    asked: { [gpuResource]: '4' },
    others: [busy('g2')],
    expected: cannot,
  },
  {
    what: 'none at all',
    asked: { [gpuResource]: '0' },
    expected: [],
  },
  {
    what: 'a resource that no class stands for',
    asked: { 'example.com/other': '1' },
    expected: '0/2 nodes are available: 2 Insufficient example.com/other',
  },
  {
    what: 'before its release',
    asked: { [gpuResource]: '1' },
    disabled: ['DRAExtendedResource'],
    expected: '0/2 nodes are available: 2 Insufficient example.com/gpu',
  },
  {
    what: 'where a node has the resource itself, but too little of it',
    asked: { [gpuResource]: '5' },
    ownOfB: { [gpuResource]: '4' },
    expected:
      '0/2 nodes are available: 1 Insufficient example.com/gpu, 1 cannot allocate all claims',
  },
  {
    what: 'a node that has the resource itself gives no devices',
    asked: { [gpuResource]: '5' },
    ownOfB: { [gpuResource]: '8' },
    expected: [],
  },
];

for (const row of extendedRows) {
  test(`devices by names of resources: ${row.what}`, () => {
    const { asked, expected, ownOfB, others = [], disabled = [], claims: named = [] } = row;
    const { cluster, devicesFor } = createDeviceCluster({
      slices: [slice('s', four)],
      claims: [...named.map((name) => claim(name, { requests: [request()] })), ...others],
      disabled,
      resourceName: gpuResource,
    });
    if (ownOfB !== undefined) {
      const allocatable = { ...testNode('b').status?.allocatable, ...ownOfB };
      cluster.cluster.putNode(testNode('b', { status: { allocatable } }));
    }
    const resourceClaims = named.map((name) => ({ name, resourceClaimName: name }));
    assert.deepEqual(devicesFor(testPod('p', { ...asking(asked), resourceClaims })), expected);
  });
}

test('a claim for resources that was left behind goes before the pod is placed', () => {
  const stale = claim(
    'p-extended-resources-x',
    { requests: [request()] },
    {
      metadata: {
        name: 'p-extended-resources-x',
        namespace: 'n',
        annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'uid-p', controller: true },
        ],
      },
    },
  );
  const { cluster } = createDeviceCluster({
    slices: [slice('s', four)],
    claims: [stale],
    resourceName: gpuResource,
  });
  const text =
    /^0\/2 nodes are available: 2 cannot schedule extended resource claim\. deletion of ResourceClaim completed, preemption: /;
  assert.match(cluster.place(testPod('p', asking({ [gpuResource]: '1' }))), text);
  // The claim of another pod is none of its business.
  assert.equal(cluster.place(testPod('q', asking({ [gpuResource]: '1' }))), 'a');
});
