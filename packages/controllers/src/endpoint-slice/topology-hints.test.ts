import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { Endpoint, EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import {
  asksForHints,
  isOverloaded,
  processorShares,
  withoutHints,
  withTopologyHints,
  type HintedSlices,
} from './topology-hints.ts';

/** `a` is a ready endpoint in zone a, `!a` one that is not, `-` one in no zone, `a>b` one for b. */
function endpoint(text: string): Endpoint {
  const [where = '', to] = text.split('>');
  const zone = where.replace('!', '');
  return {
    addresses: ['10.0.0.1'],
    conditions: { ready: !where.startsWith('!') },
    ...(zone !== '-' && { zone }),
    ...(to !== undefined && { hints: { forZones: [{ name: to }] } }),
  };
}
const slice = (text: string, name = ''): EndpointSlice => ({
  metadata: { name },
  addressType: 'IPv4',
  endpoints: text === '' ? [] : text.split(' ').map(endpoint),
});
const slices = (
  create: string[],
  update: string[] = [],
  unchanged: string[] = [],
): HintedSlices => ({
  create: create.map((text) => slice(text)),
  update: update.map((text) => slice(text)),
  unchanged: unchanged.map((text) => slice(text)),
});
/** The zones that the endpoints of each slice are for. */
const hintsOf = (all: readonly EndpointSlice[]) =>
  all.map(({ endpoints }) =>
    (endpoints ?? [])
      .map(({ hints }) => hints?.forZones?.map(({ name }) => name).join() ?? '-')
      .join(' '),
  );
const half = new Map([
  ['a', 0.5],
  ['b', 0.5],
]);
const thirds = new Map([
  ['a', 1 / 3],
  ['b', 1 / 3],
  ['c', 1 / 3],
]);
const uneven = new Map([
  ['a', 0.7],
  ['b', 0.3],
]);

test('endpoints are for their own zone, and for others that have too few', () => {
  const rows: [what: string, given: HintedSlices, shares: Map<string, number>, expected: object][] =
    [
      ['one in each', slices(['a b']), half, { create: ['a b'], update: [], unchanged: [] }],
      ['all in one', slices(['a a a a']), half, { create: ['b b a a'], update: [], unchanged: [] }],
      [
        'two zones without',
        slices(['a a a']),
        thirds,
        { create: ['b c a'], update: [], unchanged: [] },
      ],
      [
        'as many as processors',
        slices(['a a a a a b b b b b']),
        uneven,
        { create: ['a a a a a a a b b b'], update: [], unchanged: [] },
      ],
      [
        'over several slices',
        slices(['a a'], ['b !b', 'b']),
        half,
        { create: ['a a'], update: ['b -', 'b'], unchanged: [] },
      ],
      [
        'good hints stay',
        slices([], ['a'], ['a>a b>b b>b']),
        half,
        { create: [], update: ['a'], unchanged: ['a b b'] },
      ],
      [
        'a zone that is not there',
        slices([], [], ['a>x b>b']),
        half,
        { create: [], update: ['a b'], unchanged: [] },
      ],
      [
        'an endpoint without',
        slices([], [], ['a>a b']),
        half,
        { create: [], update: ['a b'], unchanged: [] },
      ],
      [
        'too many for one',
        slices([], [], ['a>a a>a a>a a>a b>b b>b b>a b>a']),
        half,
        { create: [], update: ['a a a a b b b b'], unchanged: [] },
      ],
    ];
  for (const [what, given, shares, expected] of rows) {
    const outcome = withTopologyHints(given, shares);
    assert.ok('slices' in outcome, what);
    const { create, update, unchanged } = outcome.slices;
    const hints = {
      create: hintsOf(create),
      update: hintsOf(update),
      unchanged: hintsOf(unchanged),
    };
    // Which endpoints of a zone are given away does not matter.
    const sorted = (lists: string[]) => lists.map((list) => list.split(' ').toSorted().join(' '));
    const inOrder = ({ create, update, unchanged }: typeof hints) => ({
      create: sorted(create),
      update: sorted(update),
      unchanged: sorted(unchanged),
    });
    assert.deepEqual(inOrder(hints), inOrder(expected as typeof hints), what);
  }
});

test('no hints are better than hints that overload', () => {
  const rows: [given: HintedSlices, shares: Map<string, number> | undefined, problem: string][] = [
    [
      slices(['a b']),
      undefined,
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    ],
    [slices(['a']), half, 'Insufficient number of endpoints (1 endpoints, 2 zones)'],
    [slices(['']), half, 'Insufficient number of endpoints (0 endpoints, 2 zones)'],
    [slices(['a !b !b']), half, 'Insufficient number of endpoints (1 endpoints, 2 zones)'],
    [
      slices(['a b']),
      uneven,
      'Unable to allocate minimum required endpoints to each zone without exceeding overload ' +
        'threshold (2 endpoints, 2 zones)',
    ],
    [slices(['a b - -']), half, 'One or more endpoints do not have a zone specified'],
  ];
  for (const [given, shares, problem] of rows)
    assert.deepEqual(withTopologyHints(given, shares), { problem });
});

test('hints are taken away from what has some', () => {
  const { create, update, unchanged } = withoutHints(slices(['a>a'], ['b>b'], ['a>b', 'a b']));
  assert.deepEqual(
    [hintsOf(create), hintsOf(update), hintsOf(unchanged)],
    [['-'], ['-', '-'], ['- -']],
  );
});

test('a zone is overloaded when it has too small a part', () => {
  const rows: [counts: [string, number][], shares: Map<string, number> | undefined, is: boolean][] =
    [
      [[], undefined, false],
      [[['a', 1]], undefined, true],
      [[['a', 1]], half, true],
      [
        [
          ['a', 5],
          ['b', 5],
        ],
        half,
        false,
      ],
      [
        [
          ['a', 5],
          ['b', 4],
        ],
        half,
        false,
      ],
      [
        [
          ['a', 7],
          ['b', 4],
        ],
        half,
        true,
      ],
    ];
  for (const [counts, shares, is] of rows) assert.equal(isOverloaded(new Map(counts), shares), is);
});

test('shares are of the processors of ready nodes, if all say what they have', () => {
  const node = (zone: string, cpu: string, labels = {}, ready = 'True'): Node => ({
    metadata: {
      labels: { ...(zone !== '' && { 'topology.kubernetes.io/zone': zone }), ...labels },
    },
    spec: {},
    status: {
      allocatable: cpu === '' ? {} : { cpu },
      conditions: [{ type: 'Ready', status: ready }],
    },
  });
  const controlPlane = { 'node-role.kubernetes.io/control-plane': '' };
  const two = [node('a', '3'), node('b', '500m'), node('b', '500m')];
  const rows: [nodes: Node[], expected: object | undefined][] = [
    [two, { a: 0.75, b: 0.25 }],
    [[...two, node('', '', controlPlane)], { a: 0.75, b: 0.25 }],
    [[...two, node('', '', {}, 'False')], { a: 0.75, b: 0.25 }],
    [[...two, node('', '1')], undefined],
    [[...two, node('a', '')], undefined],
    [[...two, node('a', '0')], undefined],
    [[node('a', '1'), node('a', '1')], undefined],
    [[node('a', '1'), node('b', '1', {}, 'Unknown')], undefined],
    [[], undefined],
  ];
  for (const [nodes, expected] of rows) {
    const shares = processorShares(nodes);
    assert.deepEqual(shares && Object.fromEntries(shares), expected);
  }
});

test('the annotation asks, in its old spelling first', () => {
  const mode = 'service.kubernetes.io/topology-mode';
  const old = 'service.kubernetes.io/topology-aware-hints';
  const rows: [annotations: Record<string, string> | undefined, asks: boolean][] = [
    [undefined, false],
    [{ [mode]: 'Auto' }, true],
    [{ [mode]: 'auto' }, true],
    [{ [mode]: 'AUTO' }, false],
    [{ [mode]: 'Disabled' }, false],
    [{ [old]: 'auto' }, true],
    [{ [old]: 'Disabled', [mode]: 'Auto' }, false],
  ];
  for (const [annotations, asks] of rows) assert.equal(asksForHints(annotations), asks);
});
