import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runCreate, testContext } from '../../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../../testing/strategy-tables.ts';
import { endpointSliceStrategy } from './strategy.ts';

const slice = (more: object) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 's', namespace: 'n', resourceVersion: '1' },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'] }],
  ...more,
});
const endpoint = (more: object) => slice({ endpoints: [{ addresses: ['10.0.0.1'], ...more }] });

testCreates(endpointSliceStrategy, [
  ['an address', slice({}), []],
  ['a name', slice({ addressType: 'FQDN', endpoints: [{ addresses: ['db.example.com'] }] }), []],
  ['no type', slice({ addressType: '' }), ['addressType: Required value']],
  [
    'an unknown type',
    slice({ addressType: 'MAC' }),
    ['addressType: Unsupported value: "MAC": supported values: "FQDN", "IPv4", "IPv6"'],
  ],
  [
    'an address of the other family',
    slice({ endpoints: [{ addresses: ['fd00::1'] }] }),
    ['endpoints[0].addresses[0]: Invalid value: "fd00::1": must be an IPv4 address'],
  ],
  [
    'a loopback address',
    slice({ endpoints: [{ addresses: ['127.0.0.1'] }] }),
    [
      'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ],
  [
    'no addresses',
    slice({ endpoints: [{ addresses: [] }] }),
    ['endpoints[0].addresses: Required value: must contain at least 1 address'],
  ],
  [
    'a host that is none',
    endpoint({ hostname: 'A.b' }),
    [
      "endpoints[0].hostname: Invalid value: \"A.b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  [
    'ports of one name',
    slice({ ports: [{ port: 80 }, { port: 81 }] }),
    ['ports[1].name: Duplicate value: ""'],
  ],
  [
    'zones twice',
    endpoint({ hints: { forZones: [{ name: 'a' }, { name: 'a' }] } }),
    ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"'],
  ],
]);

testUpdates(endpointSliceStrategy, [
  ['other addresses', endpoint({ addresses: ['10.0.0.2'] }), slice({}), []],
  [
    'another type',
    slice({ addressType: 'IPv6', endpoints: [] }),
    slice({ endpoints: [] }),
    ['addressType: Invalid value: "IPv6": field is immutable'],
  ],
]);

test('ports have a name and a protocol', () => {
  const { object } = runCreate(endpointSliceStrategy, slice({ ports: [{ port: 80 }] }));
  assert.deepEqual(object['ports'], [{ name: '', protocol: 'TCP', port: 80 }]);
});

test('kubectl shows at most three endpoints', () => {
  const endpoints = [1, 2, 3, 4, 5].map((n) => ({ addresses: [`10.0.0.${n}`] }));
  const shown = readObject(slice({ endpoints, ports: [{ name: 'a', port: 80 }] }));
  const cells = endpointSliceStrategy.tableCells?.(shown as never, testContext.nowMs);
  assert.deepEqual(cells, [
    's',
    'IPv4',
    '80',
    '10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...',
    '<unknown>',
  ]);
});
