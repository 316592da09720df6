import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@keelson/apimachinery';
import type { JsonSchema } from '../schema/json-schema.ts';
import { pruneForbiddenNulls, pruneUnknownFields } from './pruning.ts';

const text: JsonSchema = { type: 'string' };
const schema: JsonSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        known: text,
        list: { type: 'array', items: { type: 'object', properties: { a: text } } },
        map: { type: 'object', additionalProperties: { type: 'object', properties: { a: text } } },
        open: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { closed: { type: 'object' } },
        },
      },
    },
  },
};

const rows: readonly (readonly [string, JsonObject, JsonObject, readonly string[]])[] = [
  ['nothing unknown', { spec: { known: 'x' } }, { spec: { known: 'x' } }, []],
  [
    'unknown fields, sorted',
    { spec: { z: 1, known: 'x', a: 1 }, top: 1 },
    { spec: { known: 'x' } },
    ['spec.a', 'spec.z', 'top'],
  ],
  [
    'what every resource has stays',
    { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec: {} },
    { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec: {} },
    [],
  ],
  [
    'in lists',
    { spec: { list: [{ a: 'x' }, { b: 1 }] } },
    { spec: { list: [{ a: 'x' }, {}] } },
    ['spec.list[1].b'],
  ],
  ['in maps', { spec: { map: { k: { b: 1 } } } }, { spec: { map: { k: {} } } }, ['spec.map.k.b']],
  [
    'preserved, but not below a field that is described',
    { spec: { open: { any: { thing: 1 }, closed: { b: 1 } } } },
    { spec: { open: { any: { thing: 1 }, closed: {} } } },
    ['spec.open.closed.b'],
  ],
];

for (const [name, object, expected, unknown] of rows) {
  test(`pruning: ${name}`, () => {
    const copy = structuredClone(object);
    assert.deepEqual(pruneUnknownFields(copy, schema), unknown);
    assert.deepEqual(copy, expected);
  });
}

test('null goes where it is not allowed, unless a default will take its place', () => {
  const withDefaults: JsonSchema = {
    type: 'object',
    properties: {
      replaced: { type: 'string', default: 'x' },
      nullable: { type: 'string', nullable: true, default: 'x' },
      wrong: text,
    },
  };
  const value = { replaced: null, nullable: null, wrong: null };
  pruneForbiddenNulls(value, withDefaults);
  assert.deepEqual(value, { replaced: null, nullable: null });
});
