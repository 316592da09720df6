// Every kind prints a row for whatever it is given: also for the empty object of a bookmark.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  builtinResources,
  createSeededRandom,
  decodeObject,
  optionalResources,
  systemClock,
} from '@keelson/apimachinery';
import { createFeatures } from '../features/create-features.ts';
import { createMetrics } from '../metrics.ts';
import type { ObjectSource } from '../object-source.ts';
import type { ObjectSources } from '../object-sources.ts';
import { createBuiltinParts } from './builtin-parts.ts';

const nothing = {
  get: () => undefined,
  list: () => [],
  subscribe: () => () => {},
} as unknown as ObjectSource;
const sources = new Proxy({}, { get: () => nothing }) as unknown as ObjectSources;

const { strategies } = createBuiltinParts({
  sources,
  random: createSeededRandom(1),
  clock: systemClock,
  features: createFeatures({}),
  metrics: createMetrics(),
  authorizer: { name: 'none', authorize: () => ({ decision: 'no-opinion', reason: '' }) },
  serviceClusterIpRanges: ['10.96.0.0/16'],
  scopeOf: () => {
    throw new Error('no store is needed to print');
  },
  creates: [],
});

/** What is stored, in the version in which it is. */
const stored = [...builtinResources(), ...optionalResources()].filter(
  (r) => r.storageVersion === (r.group === '' ? r.version : `${r.group}/${r.version}`),
);

test('an empty object has a cell for each column', () => {
  for (const { group, resource, columns, type } of stored) {
    const cells = strategies[`${group}/${resource}`]?.tableCells?.(
      decodeObject(Buffer.from('{}'), type).object,
      0,
    );
    if (cells !== undefined) assert.equal(cells.length, columns.length, `${group}/${resource}`);
  }
});

test('kinds with columns of their own print them', () => {
  const silent = stored
    .filter(({ columns }) => columns.length > 0 && columns.every((c) => c.type !== 'date'))
    .map(({ group, resource }) => `${group}/${resource}`)
    .filter((id) => strategies[id]?.tableCells === undefined);
  assert.deepEqual(silent, []);
});
