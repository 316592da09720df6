import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError, type JsonValue } from '@keelson/apimachinery';
import type { JsonSchema } from '../schema/json-schema.ts';
import { validateListTypes } from './list-types.ts';

const set: JsonSchema = {
  type: 'array',
  items: { type: 'string' },
  'x-kubernetes-list-type': 'set',
};
const map: JsonSchema = {
  type: 'array',
  items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'integer' } } },
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['k'],
};

const rows: readonly (readonly [string, JsonSchema, JsonValue, readonly string[]])[] = [
  ['a set', set, ['a', 'b'], []],
  ['a set with repetition', set, ['a', 'b', 'a'], ['l[2]: Duplicate value: "a"']],
  ['a map', map, [{ k: 'a' }, { k: 'b' }], []],
  [
    'a map with a repeated key',
    map,
    [
      { k: 'a', v: 1 },
      { k: 'a', v: 2 },
    ],
    ['l[1]: Duplicate value: {"k":"a"}'],
  ],
  ['a plain list', { ...set, 'x-kubernetes-list-type': 'atomic' }, ['a', 'a'], []],
];

for (const [name, schema, value, expected] of rows) {
  test(`list types: ${name}`, () => {
    assert.deepEqual(validateListTypes(value, schema, 'l').map(renderFieldError), expected);
  });
}
