import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError, type JsonValue } from '@keelson/apimachinery';
import type { JsonSchema } from '../schema/json-schema.ts';
import { validateSchema } from './schema-validation.ts';

const spec = (schema: JsonSchema): JsonSchema => ({
  type: 'object',
  properties: { spec: schema },
});
const text: JsonSchema = { type: 'string' };

const rows: readonly (readonly [string, JsonSchema, JsonValue, readonly string[]])[] = [
  ['a text', text, 'x', []],
  [
    'a number for a text',
    text,
    1,
    ['spec: Invalid value: "integer": spec in body must be of type string: "integer"'],
  ],
  [
    'a text for a number',
    { type: 'number' },
    'x',
    ['spec: Invalid value: "string": spec in body must be of type number: "string"'],
  ],
  ['a whole float for an integer', { type: 'integer' }, 2, []],
  ['null where nullable', { type: 'string', nullable: true }, null, []],
  [
    'required, sorted by declaration',
    { type: 'object', required: ['b', 'a'], properties: { a: text, b: text } },
    {},
    ['spec.b: Required value', 'spec.a: Required value'],
  ],
  ['enum', { type: 'string', enum: ['a', 'b'] }, 'b', []],
  [
    'not in the enum',
    { type: 'string', enum: ['a', 'b'] },
    'c',
    ['spec: Unsupported value: "c": supported values: "a", "b"'],
  ],
  ['pattern', { type: 'string', pattern: '^a+$' }, 'aa', []],
  [
    'no match',
    { type: 'string', pattern: '^a+$' },
    'b',
    ['spec: Invalid value: "b": spec in body should match \'^a+$\''],
  ],
  [
    'too long',
    { type: 'string', maxLength: 2 },
    'abc',
    ['spec: Too long: may not be more than 2 bytes'],
  ],
  [
    'too short, counted in characters',
    { type: 'string', minLength: 3 },
    'ää',
    ['spec: Invalid value: "ää": spec in body should be at least 3 chars long'],
  ],
  [
    'below the minimum',
    { type: 'integer', minimum: 1 },
    0,
    ['spec: Invalid value: 0: spec in body should be greater than or equal to 1'],
  ],
  [
    'at the exclusive maximum',
    { type: 'integer', maximum: 5, exclusiveMaximum: true },
    5,
    ['spec: Invalid value: 5: spec in body should be less than 5'],
  ],
  [
    'no multiple',
    { type: 'integer', multipleOf: 3 },
    7,
    ['spec: Invalid value: 7: spec in body should be a multiple of 3'],
  ],
  ['a multiple', { type: 'integer', multipleOf: 3 }, 9, []],
  [
    'too few items',
    { type: 'array', minItems: 1, items: text },
    [],
    ['spec: Invalid value: 0: spec in body should have at least 1 items'],
  ],
  [
    'too many items',
    { type: 'array', maxItems: 1, items: text },
    ['a', 'b'],
    ['spec: Too many: 2: must have at most 1 item'],
  ],
  [
    'too many properties',
    { type: 'object', maxProperties: 1, additionalProperties: text },
    { a: '1', b: '2' },
    ['spec: Too many: 2: must have at most 1 item'],
  ],
  [
    'inside of lists',
    { type: 'array', items: { type: 'integer' } },
    [1, 'x'],
    ['spec[1]: Invalid value: "string": spec[1] in body must be of type integer: "string"'],
  ],
  ['int or string: text', { 'x-kubernetes-int-or-string': true }, '10%', []],
  ['int or string: number', { 'x-kubernetes-int-or-string': true }, 3, []],
  ['known format', { type: 'string', format: 'ipv4' }, '10.0.0.1', []],
  [
    'not of the format',
    { type: 'string', format: 'ipv4' },
    '10.0.0',
    ['spec: Invalid value: "10.0.0": spec in body must be of type ipv4: "10.0.0"'],
  ],
  ['unknown format', { type: 'string', format: 'colour' }, 'x', []],
];

for (const [name, schema, value, expected] of rows) {
  test(`schema: ${name}`, () => {
    const errors = validateSchema({ spec: value }, spec(schema));
    assert.deepEqual(errors.map(renderFieldError), expected);
  });
}

const strict = spec({
  type: 'object',
  properties: { a: { type: 'string', maxLength: 1 }, b: { type: 'string', maxLength: 1 } },
});
const stored = { value: { spec: { a: 'too long', b: 'x' } } };

test('an unchanged invalid value may stay', () => {
  assert.deepEqual(validateSchema({ spec: { a: 'too long', b: 'y' } }, strict, '', stored), []);
});

test('a changed value has to be valid', () => {
  const errors = validateSchema({ spec: { a: 'still too long', b: 'x' } }, strict, '', stored);
  assert.deepEqual(errors.map(renderFieldError), ['spec.a: Too long: may not be more than 1 byte']);
});
