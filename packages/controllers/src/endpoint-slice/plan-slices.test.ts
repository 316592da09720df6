import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Endpoint, EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { endpointKey, planSlices, type EndpointGroup, type SlicePlan } from './plan-slices.ts';

const endpoint = (n: number, ready = true): Endpoint => ({
  addresses: [`10.0.${n >> 8}.${n & 255}`],
  conditions: { ready },
  targetRef: { kind: 'Pod', namespace: 'default', name: `p${n}` },
});
const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => endpoint(from + index));
const ports = [{ name: '', protocol: 'TCP', port: 80 }];
const otherPorts = [{ name: '', protocol: 'TCP', port: 81 }];
const template: EndpointSlice = {
  metadata: { generateName: 'web-', labels: { a: 'b' } },
  addressType: 'IPv4',
};
const slice = (name: string, endpoints: Endpoint[], labels = { a: 'b' }): EndpointSlice => ({
  metadata: { name, labels },
  addressType: 'IPv4',
  ports,
  endpoints,
});
const plan = (existing: EndpointSlice[], desired: EndpointGroup[], endpointsMax = 4): SlicePlan =>
  planSlices({ existing, desired, template, endpointsMax, keepsPlaceholder: true });
const names = (slices: readonly EndpointSlice[]) => slices.map(({ metadata }) => metadata.name);
const sizes = (slices: readonly EndpointSlice[]) => slices.map((s) => s.endpoints?.length ?? 0);
const group = (endpoints: Endpoint[]): EndpointGroup[] => [{ ports, endpoints }];

test('as few slices are written as possible', () => {
  const full = slice('full', range(0, 4));
  const half = slice('half', range(4, 6));
  const one = slice('one', range(6, 7));
  const rows: [what: string, plan: SlicePlan, expected: object][] = [
    ['nothing changes', plan([full], group(range(0, 4))), {}],
    ['new ones fill new slices', plan([], group(range(0, 9))), { create: [4, 4, 1] }],
    [
      'the fullest with room is filled',
      plan([full, half, one], group(range(0, 8))),
      { update: ['half'] },
    ],
    [
      'no room for all: a new slice',
      plan([full, half], group([...range(0, 6), ...range(10, 13)])),
      { create: [3] },
    ],
    [
      'what is written anyway is filled',
      plan([full, half], group([...range(0, 3), ...range(4, 6), endpoint(9)])),
      { update: ['full'] },
    ],
    [
      'the fullest of what is written is filled first',
      plan(
        [slice('few', range(0, 2)), slice('many', range(2, 6))],
        group([endpoint(0), ...range(2, 5), endpoint(8)]),
      ),
      { update: ['many', 'few'] },
    ],
    [
      'what is left of full new slices goes where there is room',
      plan([full, one], group([...range(0, 4), ...range(6, 13)])),
      { create: [4], update: ['one'] },
    ],
    ['empty slices go', plan([full, half], group(range(0, 4))), { delete: ['half'] }],
    [
      'readiness is an update in place',
      plan([half], group([endpoint(4), endpoint(5, false)])),
      { update: ['half'] },
    ],
    [
      'other labels are an update',
      plan([slice('old', range(0, 4), { a: 'c' })], group(range(0, 4))),
      { update: ['old'] },
    ],
    [
      'a slice to be deleted takes what is new',
      plan([one], group(range(0, 2))),
      { update: ['one'] },
    ],
    [
      'other ports, another slice',
      plan([full], [...group(range(0, 4)), { ports: otherPorts, endpoints: [endpoint(9)] }]),
      { create: [1] },
    ],
    [
      'too many in one slice are spread',
      plan([slice('big', range(0, 6))], group(range(0, 6))),
      { create: [2], update: ['big'] },
    ],
    ['a placeholder where nothing is', plan([], []), { create: [0] }],
    ['a placeholder that is there stays', plan([{ ...slice('empty', []), ports: [] }], []), {}],
    ['the last slice becomes the placeholder', plan([one], []), { update: ['one'] }],
  ];
  for (const [what, actual, expected] of rows)
    assert.deepEqual(
      { create: sizes(actual.create), update: names(actual.update), delete: names(actual.delete) },
      { create: [], update: [], delete: [], ...expected },
      what,
    );
});

test('whatever there was: afterwards each endpoint is in one slice, no slice is too large, and there is nothing more to do', () => {
  const numbers = fc.uniqueArray(fc.nat(40), { maxLength: 30 });
  const chunks = fc.array(fc.array(fc.nat(40), { maxLength: 7 }), { maxLength: 8 });
  fc.assert(
    fc.property(chunks, numbers, fc.integer({ min: 1, max: 6 }), (before, after, max) => {
      const existing = before.map((ns, index) =>
        slice(
          `s${index}`,
          ns.map((n) => endpoint(n, n % 3 > 0)),
        ),
      );
      const desired = after.length === 0 ? [] : group(after.map((n) => endpoint(n)));
      const result = plan(existing, desired, max);
      const written = new Map(
        [...existing, ...result.update].map((s) => [s.metadata.name ?? '', s]),
      );
      for (const { metadata } of result.delete) written.delete(metadata.name ?? '');
      result.create.forEach((s, index) =>
        written.set(`new${index}`, { ...s, metadata: { ...s.metadata, name: `new${index}` } }),
      );
      const slices = [...written.values()];
      const seen = slices.flatMap((s) => s.endpoints ?? []);
      assert.ok(slices.every((s) => (s.endpoints?.length ?? 0) <= max));
      assert.deepEqual(
        seen.map((e) => endpointKey(e)).toSorted(),
        after.map((n) => endpointKey(endpoint(n))).toSorted(),
      );
      assert.ok(seen.every((e) => e.conditions?.ready === true));
      const again = plan(slices, desired, max);
      assert.deepEqual([again.create, again.update, again.delete], [[], [], []]);
    }),
    { seed: 7 },
  );
});
