import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import type { ResourceEndpoint } from '../../registry/resource-endpoint.ts';
import { parseRequestInfo } from '../request-info.ts';
import { createFlowCounts } from './flow-counts.ts';
import { createWatchCounts } from './watch-counts.ts';
import { createWorkEstimator } from './work-estimate.ts';

/** A resource `pods` with so many objects of so many bytes each. */
function createEstimator(options: { count?: number; bytes?: number; release?: string } = {}) {
  const { count = 0, bytes = 1000, release = '1.36' } = options;
  const watches = createWatchCounts();
  const object = { pad: 'x'.repeat(Math.max(0, bytes - 10)) };
  const entries = Array.from({ length: Math.min(10, count) }, () => ({ object }));
  const storage = { count: () => count, list: async () => ({ entries }) };
  const scope = { definition: { namespaced: true }, keyPrefix: '/registry/pods', storage };
  const endpoint = { scope } as unknown as ResourceEndpoint;
  const estimate = createWorkEstimator({
    features: createFeatures({ emulatedVersion: release }),
    index: { find: ({ resource }) => (resource === 'pods' ? endpoint : undefined) },
    watches,
    clock: createSimulatedClock(),
  });
  const counts = createFlowCounts('level', 'schema');
  return {
    watches,
    of: (method: string, url: string, maxSeats = 0) =>
      estimate(parseRequestInfo(method, url), { maxSeats }, counts),
  };
}

const pods = '/api/v1/namespaces/a/pods';
const exact = 'resourceVersion=5&resourceVersionMatch=Exact';

describe('seats of a read', () => {
  const rows: readonly (readonly [string, string, object, number])[] = [
    ['get', `${pods}/a`, { count: 9000 }, 1],
    ['path', '/metrics', { count: 9000 }, 1],
    ['watch', `${pods}?watch=1`, { count: 9000 }, 1],
    ['watch with what is there', `${pods}?watch=1&sendInitialEvents=true`, { count: 9000 }, 10],
    ['list of nothing', pods, { count: 0 }, 1],
    ['list of little', pods, { count: 100 }, 1],
    ['list of 250 kB', pods, { count: 250 }, 3],
    ['list of much, from memory', pods, { count: 90_000 }, 10],
    ['list of much, from the disk', `${pods}?${exact}`, { count: 90_000 }, 100],
    ['list of a page', `${pods}?limit=500`, { count: 90_000 }, 5],
    ['further page', `${pods}?limit=3000&continue=x`, { count: 90_000 }, 30],
    ['list at any revision', `${pods}?resourceVersion=0&limit=500`, { count: 90_000 }, 5],
    ['selected, from the disk', `${pods}?${exact}&limit=1&labelSelector=a`, { count: 9000 }, 45],
    ['selected by name', `${pods}?fieldSelector=metadata.name%3Da`, { count: 90_000 }, 1],
    ['large objects', pods, { count: 3, bytes: 200_000 }, 6],
    ['unknown resource', '/apis/x/v1/things', { count: 9000 }, 1],
    ['wrong limit', `${pods}?limit=x`, { count: 0 }, 100],
    ['1.33, from memory', pods, { count: 450, release: '1.33' }, 5],
    ['1.33, much', pods, { count: 90_000, release: '1.33' }, 10],
    ['1.33, a page', `${pods}?${exact}&limit=100`, { count: 9000, release: '1.33' }, 2],
    ['1.30, from the disk', pods, { count: 100, release: '1.30' }, 2],
  ];
  for (const [name, url, options, seats] of rows)
    it(`${name}: ${seats}`, async () => {
      assert.deepEqual(await createEstimator(options).of('GET', url), {
        initialSeats: seats,
        finalSeats: 0,
        additionalLatencyMs: 0,
      });
    });

  it('no more than the level grants', async () => {
    const { of } = createEstimator({ count: 90_000 });
    assert.equal((await of('GET', `${pods}?${exact}`, 8)).initialSeats, 8);
  });
});

describe('seats of a write', () => {
  const watched = (...urls: readonly (readonly [string, number])[]) => {
    const estimator = createEstimator();
    for (const [url, times] of urls)
      for (let i = 0; i < times; i++) estimator.watches.register(parseRequestInfo('GET', url));
    return estimator;
  };
  const all = '/api/v1/pods?watch=1';
  const own = `${pods}?watch=1`;
  const other = '/api/v1/namespaces/b/pods?watch=1';
  const node = (name: string) => `/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3D${name}`;
  const one = `${pods}?watch=1&fieldSelector=metadata.name%3Dx`;
  type Row = readonly [string, string, readonly (readonly [string, number])[], number, number];
  const rows: readonly Row[] = [
    ['unwatched', `PUT ${pods}/x`, [], 0, 0],
    ['hardly watched', `PUT ${pods}/x`, [[all, 9]], 0, 0],
    ['watched', `PUT ${pods}/x`, [[all, 10]], 1, 5],
    [
      'watched by many',
      `PATCH ${pods}/x`,
      [
        [all, 50],
        [own, 25],
      ],
      8,
      5,
    ],
    ['watched by more than there are seats', `DELETE ${pods}/x`, [[all, 200]], 10, 10],
    ['others are watched', `PUT ${pods}/x`, [[other, 100]], 0, 0],
    ['another name is watched', `PUT ${pods}/y`, [[one, 100]], 0, 0],
    ['its name is watched', `PUT ${pods}/x`, [[one, 20]], 2, 5],
    [
      'of the watched nodes the busiest',
      `PUT ${pods}/x`,
      [
        [node('n'), 30],
        [node('m'), 90],
      ],
      9,
      5,
    ],
    ['many at once', `DELETE ${pods}`, [[all, 200]], 0, 0],
  ];
  for (const [name, line, urls, finalSeats, additionalLatencyMs] of rows)
    it(name, () => {
      const [method = '', url = ''] = line.split(' ');
      const expected = { initialSeats: 1, finalSeats, additionalLatencyMs };
      assert.deepEqual(watched(...urls).of(method, url), expected);
    });

  it('tokens write nothing', () => {
    const accounts = '/api/v1/namespaces/a/serviceaccounts';
    const { of } = watched([`${accounts}?watch=1`, 100]);
    assert.equal(pick(of('POST', `${accounts}/x/token`)), 0);
    assert.equal(pick(of('PUT', `${accounts}/x`)), 10);
  });

  it('a watch that has ended does not count, however often it ends', () => {
    const estimator = createEstimator();
    const info = parseRequestInfo('GET', all);
    const ends = Array.from({ length: 30 }, () => estimator.watches.register(info));
    for (const end of ends.slice(0, 15)) {
      end();
      end();
    }
    assert.equal(estimator.watches.interestedIn(parseRequestInfo('PUT', `${pods}/x`)), 15);
  });
});

function pick(estimate: ReturnType<ReturnType<typeof createEstimator>['of']>): number {
  assert.ok(!(estimate instanceof Promise));
  return estimate.finalSeats;
}
