import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError } from '@keelson/apimachinery';
import type { JsonSchema } from './json-schema.ts';
import { isStructural, structuralErrors } from './structural.ts';

const rows: readonly (readonly [string, JsonSchema, readonly string[]])[] = [
  ['an object', { type: 'object', properties: { a: { type: 'string' } } }, []],
  ['no type', {}, ['s.type: Required value: must not be empty at the root']],
  [
    'not an object at the root',
    { type: 'array', items: { type: 'string' } },
    ['s.type: Invalid value: "array": must be object at the root'],
  ],
  [
    'no type below',
    { type: 'object', properties: { a: {} } },
    ['s.properties[a].type: Required value: must not be empty for specified object fields'],
  ],
  [
    'no items',
    { type: 'object', properties: { a: { type: 'array' } } },
    ['s.properties[a].items: Required value: must be specified'],
  ],
  [
    'a field only in anyOf',
    { type: 'object', anyOf: [{ properties: { a: { minLength: 1 } } }] },
    ['s.properties[a]: Required value: because it is defined in s.anyOf[0].properties[a]'],
  ],
  [
    'a type in anyOf',
    {
      type: 'object',
      properties: { a: { type: 'string' } },
      anyOf: [{ properties: { a: { type: 'string' } } }],
    },
    ['s.anyOf[0].properties[a].type: Forbidden: must be empty to be structural'],
  ],
  ['unknown fields kept', { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, []],
  [
    'int or string with its alternatives',
    {
      type: 'object',
      properties: {
        a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      },
    },
    [],
  ],
];

for (const [name, schema, expected] of rows) {
  test(`structural: ${name}`, () => {
    assert.deepEqual(structuralErrors(schema, 's').map(renderFieldError), expected);
    assert.equal(isStructural(schema), expected.length === 0);
  });
}
