import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError } from '@keelson/apimachinery';
import type { Condition } from '@keelson/apimachinery/types/meta.v1';
import type { Errors } from './checks.ts';
import { conditions } from './conditions.ts';

const good: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Done',
  message: '',
  lastTransitionTime: '2024-01-01T00:00:00Z',
};

const rows: readonly (readonly [string, readonly Condition[], readonly string[]])[] = [
  ['one', [good], []],
  ['two of a type', [good, good], ['c[1].type: Duplicate value: "Ready"']],
  [
    'another status',
    [{ ...good, status: 'Maybe' }],
    ['c[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"'],
  ],
  [
    'no time',
    [{ ...good, lastTransitionTime: null }],
    ['c[0].lastTransitionTime: Required value: must be set'],
  ],
  ['no reason', [{ ...good, reason: '' }], ['c[0].reason: Required value: must be set']],
  [
    'a generation below zero',
    [{ ...good, observedGeneration: -1 }],
    ['c[0].observedGeneration: Invalid value: -1: must be greater than or equal to zero'],
  ],
  [
    'a long message',
    [{ ...good, message: 'x'.repeat(32 * 1024 + 1) }],
    ['c[0].message: Too long: may not be more than 32768 bytes'],
  ],
];

for (const [what, list, expected] of rows) {
  test(`conditions: ${what}`, () => {
    const errors: Errors = [];
    conditions(errors, 'c', list);
    assert.deepEqual(errors.map(renderFieldError), expected);
  });
}

test('a reason is one word', () => {
  const errors: Errors = [];
  conditions(errors, 'c', [{ ...good, reason: 'not one' }]);
  assert.match(
    renderFieldError(errors[0]!),
    /^c\[0\]\.reason: Invalid value: "not one": a condition reason must start/,
  );
});
