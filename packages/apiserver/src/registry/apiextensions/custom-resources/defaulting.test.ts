import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@keelson/apimachinery';
import type { JsonSchema } from '../schema/json-schema.ts';
import { applySchemaDefaults } from './defaulting.ts';

const size: JsonSchema = { type: 'integer', default: 3 };

const rows: readonly (readonly [string, JsonSchema, JsonValue, JsonValue])[] = [
  ['absent', { type: 'object', properties: { size } }, {}, { size: 3 }],
  ['present', { type: 'object', properties: { size } }, { size: 0 }, { size: 0 }],
  ['null', { type: 'object', properties: { size } }, { size: null }, { size: 3 }],
  [
    'null where nullable',
    { type: 'object', properties: { size: { ...size, nullable: true } } },
    { size: null },
    { size: null },
  ],
  [
    'below an absent object: nothing',
    { type: 'object', properties: { spec: { type: 'object', properties: { size } } } },
    {},
    {},
  ],
  [
    'below a defaulted object',
    { type: 'object', properties: { spec: { type: 'object', default: {}, properties: { size } } } },
    {},
    { spec: { size: 3 } },
  ],
  [
    'in items and map values',
    {
      type: 'object',
      properties: { l: { type: 'array', items: { type: 'object', properties: { size } } } },
      additionalProperties: { type: 'object', properties: { size } },
    },
    { l: [{}, { size: 1 }], k: {} },
    { l: [{ size: 3 }, { size: 1 }], k: { size: 3 } },
  ],
];

for (const [name, schema, value, expected] of rows) {
  test(`defaults: ${name}`, () => {
    const copy = structuredClone(value);
    applySchemaDefaults(copy, schema);
    assert.deepEqual(copy, expected);
  });
}

test('each object gets its own copy of a default', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: { tags: { type: 'array', items: { type: 'string' }, default: ['a'] } },
  };
  const first: Record<string, JsonValue> = {};
  const second: Record<string, JsonValue> = {};
  applySchemaDefaults(first, schema);
  applySchemaDefaults(second, schema);
  (first['tags'] as string[]).push('b');
  assert.deepEqual(second['tags'], ['a']);
});
