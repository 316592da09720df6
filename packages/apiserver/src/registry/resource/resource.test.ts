import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCreate, runUpdate } from '../testing/run-strategy.ts';
import { resourceStrategies } from './strategies.ts';

const apiVersion = 'resource.k8s.io/v1';
const claims = resourceStrategies['resourceclaims'] ?? {};
const slices = resourceStrategies['resourceslices'] ?? {};

function claim(spec: object, status?: object) {
  const metadata = { name: 'c', namespace: 'ns' };
  return { apiVersion, kind: 'ResourceClaim', metadata, spec, ...(status && { status }) };
}
function slice(more: object) {
  const pool = { name: 'p', generation: 1, resourceSliceCount: 1 };
  const spec = { driver: 'd.example.com', pool, nodeName: 'n', ...more };
  return { apiVersion, kind: 'ResourceSlice', metadata: { name: 's' }, spec };
}
const requests = (...list: object[]) => claim({ devices: { requests: list } });
const exactly = { deviceClassName: 'gpu' };
const requestPath = 'spec.devices.requests[0]';

const refused: readonly (readonly [string, object, object, readonly (string | RegExp)[]])[] = [
  ['one device', claims, requests({ name: 'r', exactly }), []],
  [
    'no class',
    claims,
    requests({ name: 'r', exactly: {} }),
    [`${requestPath}.exactly.deviceClassName: Required value`],
  ],
  [
    'neither form',
    claims,
    requests({ name: 'r' }),
    [new RegExp(`^${requestPath.replace(/[[\]]/g, '\\$&')}: Required value`)],
  ],
  [
    'requests of one name',
    claims,
    requests({ name: 'r', exactly }, { name: 'r', exactly }),
    ['spec.devices.requests[1]: Duplicate value: "r"'],
  ],
  [
    'a count of all',
    claims,
    requests({ name: 'r', exactly: { ...exactly, allocationMode: 'All', count: 2 } }),
    [/count: Invalid value: 2: must not be specified when allocationMode is 'All'/],
  ],
  [
    'a constraint on nothing',
    claims,
    claim({
      devices: {
        requests: [{ name: 'r', exactly }],
        constraints: [{ requests: ['x'], matchAttribute: 'a.b/c' }],
      },
    }),
    [
      /^spec.devices.constraints\[0\].requests\[0\]: Invalid value: "x": must be the name of a request in the claim/,
    ],
  ],
  ['a slice of a node', slices, slice({ devices: [{ name: 'd' }] }), []],
  [
    'a slice of a node and of all',
    slices,
    slice({ allNodes: true }),
    [/exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection`/],
  ],
  ['no driver', slices, slice({ driver: '' }), ['spec.driver: Required value']],
  [
    'devices of one name',
    slices,
    slice({ devices: [{ name: 'd' }, { name: 'd' }] }),
    [/^spec.devices\[1\](\.name)?: Duplicate value: "d"$/],
  ],
];

for (const [name, strategy, object, expected] of refused) {
  test(`devices: ${name}`, () => {
    const { errors } = runCreate(strategy, object);
    assert.equal(errors.length, expected.length, errors.join('\n'));
    expected.forEach((one, i) => {
      if (typeof one === 'string') assert.equal(errors[i], one);
      else assert.match(errors[i] ?? '', one);
    });
  });
}

test('a claim is for one device where it does not say', () => {
  const { object } = runCreate(claims, requests({ name: 'r', exactly }));
  const { devices } = object['spec'] as { devices: { requests: { exactly: object }[] } };
  assert.deepEqual(devices.requests[0]?.exactly, {
    deviceClassName: 'gpu',
    allocationMode: 'ExactCount',
    count: 1,
  });
});

test('a claim does not change', () => {
  const old = requests({ name: 'r', exactly });
  const changed = requests({ name: 'r', exactly: { deviceClassName: 'other' } });
  assert.deepEqual(runUpdate(claims, [old, old]).errors, []);
  const { errors } = runUpdate(claims, [changed, old]);
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /^spec: Invalid value: .*: field is immutable$/);
});

test('the driver of a slice does not change', () => {
  const { errors } = runUpdate(slices, [slice({ driver: 'e.example.com' }), slice({})]);
  assert.deepEqual(errors, ['spec.driver: Invalid value: "e.example.com": field is immutable']);
});

test('a status is written through the status, and only there', () => {
  const old = requests({ name: 'r', exactly });
  const status = { reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] };
  const wanted = { ...old, status };
  assert.deepEqual(runUpdate(claims, [wanted, old]).object['status'] ?? {}, {});
  const { errors } = runUpdate(claims, [wanted, old], 'status');
  assert.deepEqual(errors, [
    'status.reservedFor: Forbidden: may not be specified when `allocated` is not set',
  ]);
});
