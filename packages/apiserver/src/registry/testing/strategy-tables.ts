// Tables of objects and of what a strategy finds in them, as tests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Strategy } from '../strategy.ts';
import { runCreate, runUpdate } from './run-strategy.ts';

/** No errors: the object is accepted. */
export type CreateRow = readonly [what: string, object: object, errors: readonly string[]];
export type UpdateRow = readonly [
  what: string,
  object: object,
  old: object,
  errors: readonly string[],
];

export function testCreates(strategy: Strategy, rows: readonly CreateRow[]): void {
  for (const [what, object, errors] of rows) {
    test(`a new ${kindOf(object)}: ${what}`, () => {
      assert.deepEqual(runCreate(strategy, object).errors, errors);
    });
  }
}

/** `subresource`: through which the updates come. */
export function testUpdates(
  strategy: Strategy,
  rows: readonly UpdateRow[],
  subresource?: string,
): void {
  for (const [what, object, old, errors] of rows) {
    test(`a changed ${kindOf(object)}: ${what}`, () => {
      assert.deepEqual(runUpdate(strategy, [object, old], subresource).errors, errors);
    });
  }
}

function kindOf(object: object): string {
  return String((object as { kind?: unknown }).kind);
}
