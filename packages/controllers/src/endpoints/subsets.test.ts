import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  EndpointAddress,
  EndpointSubset,
  Pod,
  Service,
} from '@keelson/apimachinery/types/core.v1';
import { subsetsOf, truncateSubsets } from './subsets.ts';

const pod = (name: string, http: number, { ready = true, ...metadata } = {}): Pod => ({
  metadata: { namespace: 'default', name, uid: `uid-${name}`, ...metadata },
  spec: {
    nodeName: 'n',
    containers: [{ name: 'c', ports: [{ name: 'http', containerPort: http }] }],
  },
  status: {
    phase: 'Running',
    podIPs: [{ ip: `10.0.0.${name.length}` }, { ip: `fd00::${name.length}` }],
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
  },
});
const service = (spec: Service['spec']): Service => ({
  metadata: { namespace: 'default', name: 'web' },
  spec: { clusterIP: '10.96.0.1', ipFamilies: ['IPv4'], ...spec },
});
const plain = { name: 'plain', port: 80, targetPort: 8080 };
const named = { name: 'named', port: 81, targetPort: 'http' };

/** `addresses !addresses ports`, sorted: what comes first is nobody's business. */
const textsOf = (subsets: readonly EndpointSubset[]) =>
  subsets
    .map(({ addresses = [], notReadyAddresses = [], ports = [] }) =>
      [
        addresses.map(({ ip }) => ip).join(),
        notReadyAddresses.map(({ ip }) => `!${ip}`).join(),
        ports
          .map((port) => `${port.name ?? ''}:${port.port}`)
          .toSorted()
          .join(),
      ].join(' '),
    )
    .toSorted();

test('ports share a subset when the same addresses have them, equally ready', () => {
  const alike = [pod('a', 1), pod('bb', 1)];
  const rows: [what: string, spec: Service['spec'], pods: Pod[], expected: string[]][] = [
    ['nothing selected', { ports: [plain] }, [], []],
    ['one port', { ports: [plain] }, alike, ['10.0.0.1,10.0.0.2  plain:8080']],
    ['ports of all', { ports: [plain, named] }, alike, ['10.0.0.1,10.0.0.2  named:1,plain:8080']],
    [
      'a port that is another in each, and one that is not',
      { ports: [plain, named] },
      [pod('a', 1), pod('bb', 2)],
      ['10.0.0.1  named:1', '10.0.0.1,10.0.0.2  plain:8080', '10.0.0.2  named:2'],
    ],
    [
      'a port that one of them does not have',
      { ports: [plain, { ...named, targetPort: 'none' }] },
      alike,
      ['10.0.0.1,10.0.0.2  plain:8080'],
    ],
    [
      'ready and not',
      { ports: [plain] },
      [pod('a', 1), pod('bb', 1, { ready: false })],
      ['10.0.0.1 !10.0.0.2 plain:8080'],
    ],
    [
      'not ready, published',
      { ports: [plain], publishNotReadyAddresses: true },
      [pod('a', 1), pod('bb', 1, { ready: false })],
      ['10.0.0.1,10.0.0.2  plain:8080'],
    ],
    [
      'the first family only',
      { ports: [plain], ipFamilies: ['IPv6', 'IPv4'] },
      [pod('a', 1)],
      ['fd00::1  plain:8080'],
    ],
    ['headless without ports', { clusterIP: 'None' }, alike, ['10.0.0.1,10.0.0.2  ']],
    ['no ports, not headless', {}, alike, []],
    [
      'two pods of one address',
      { ports: [plain] },
      [pod('a', 1), pod('b', 1)],
      ['10.0.0.1,10.0.0.1  plain:8080'],
    ],
  ];
  for (const [what, spec, pods, expected] of rows)
    assert.deepEqual(textsOf(subsetsOf(service(spec), pods)), expected, what);
});

const addresses = (count: number): EndpointAddress[] =>
  Array.from({ length: count }, (_, n) => ({ ip: `10.0.${n >> 8}.${n & 255}` }));
const subset = ([ready, unready]: readonly [number, number]): EndpointSubset => ({
  ...(ready > 0 && { addresses: addresses(ready) }),
  ...(unready > 0 && { notReadyAddresses: addresses(unready) }),
});

test('a thousand addresses, ready ones first, each subset its share', () => {
  const rows: [given: [number, number][], kept: [number, number][], isTruncated: boolean][] = [
    [[[1_000, 0]], [[1_000, 0]], false],
    [[[400, 600]], [[400, 600]], false],
    [[[1_001, 0]], [[1_000, 0]], true],
    [[[1_001, 5]], [[1_000, 0]], true],
    [[[400, 700]], [[400, 600]], true],
    [[[1_000, 1]], [[1_000, 0]], true],
    [
      [
        [500, 0],
        [1_500, 3],
      ],
      [
        [250, 0],
        [750, 0],
      ],
      true,
    ],
    [
      [
        [100, 1_000],
        [100, 3_000],
      ],
      [
        [100, 200],
        [100, 600],
      ],
      true,
    ],
  ];
  for (const [given, kept, isTruncated] of rows) {
    const result = truncateSubsets(given.map(subset));
    assert.equal(result.isTruncated, isTruncated, JSON.stringify(given));
    assert.deepEqual(
      result.subsets.map((s) => [s.addresses?.length ?? 0, s.notReadyAddresses?.length ?? 0]),
      kept,
    );
  }
});
