import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError } from '@keelson/apimachinery';
import * as check from './checks.ts';

type Run = (errors: check.Errors) => void;
const rows: readonly (readonly [string, Run, readonly string[]])[] = [
  ['present', (e) => check.required(e, 'a', 'x'), []],
  ['absent', (e) => check.required(e, 'a', undefined), ['a: Required value']],
  ['empty list', (e) => check.required(e, 'a', [], 'why'), ['a: Required value: why']],
  ['one of', (e) => check.oneOf(e, 'a', 'B', ['B', 'A']), []],
  [
    'not one of, in the given order',
    (e) => check.oneOf(e, 'a', undefined, ['B', 'A']),
    ['a: Unsupported value: "": supported values: "B", "A"'],
  ],
  ['in range', (e) => check.inRange(e, 'p', 65535, check.portRange), []],
  [
    'below range',
    (e) => check.inRange(e, 'p', 0, check.portRange),
    ['p: Invalid value: 0: must be between 1 and 65535, inclusive'],
  ],
  ['bigint in range', (e) => check.nonNegative(e, 'p', 9007199254740993n), []],
  ['absent number', (e) => check.inRange(e, 'p', undefined, check.portRange), []],
  ['immutable, nothing against empty', (e) => check.immutable(e, 'f', [undefined, []]), []],
  [
    'immutable, changed',
    (e) => check.immutable(e, 'f', ['b', 'a']),
    ['f: Invalid value: "b": field is immutable'],
  ],
  [
    'immutable, pointer removed',
    (e) => check.immutable(e, 'f', [undefined, {}]),
    ['f: Invalid value: null: field is immutable'],
  ],
  [
    'repeated',
    (e) => check.unique(e, ['a', 'b', 'a'], (i) => `l[${i}]`),
    ['l[2]: Duplicate value: "a"'],
  ],
  [
    'too many',
    (e) => check.atMost(e, 'l', [1, 2], 1),
    ['l: Too many: 2: must have at most 1 item'],
  ],
];

for (const [name, run, expected] of rows) {
  test(`check: ${name}`, () => {
    const errors: check.Errors = [];
    run(errors);
    assert.deepEqual(errors.map(renderFieldError), expected);
  });
}
