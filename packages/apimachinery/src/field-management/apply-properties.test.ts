// What holds of all objects: applied with random contents, odd keys among them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import type { Clock } from '../clock.ts';
import { jsonEqual, type JsonObject } from '../json.ts';
import { asJson, asKubeObject, type KubeObject } from '../meta/object.ts';
import { createFieldManager } from './field-manager.ts';

const clock: Clock = { now: () => 0, monotonic: () => 0, after: () => () => {} };
const things = createFieldManager({ type: undefined, clock });

const by = (manager: string) => ({ manager, apiVersion: 'e/v1', subresource: '' });
const blank: KubeObject = { apiVersion: 'e/v1', kind: 'Thing', metadata: {} };
const stored = (object: KubeObject): KubeObject =>
  freeze({ ...object, metadata: { ...object.metadata, uid: 'u' } });

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}

const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor');
const value: fc.Arbitrary<JsonObject> = fc.letrec<{ value: JsonObject }>((tie) => ({
  value: fc
    .array(
      fc.tuple(key, fc.oneof({ maxDepth: 2 }, fc.constantFrom(1, 'x', [], [1]), tie('value'))),
      { maxLength: 3 },
    )
    .map((entries) => Object.fromEntries(entries) as JsonObject),
})).value;
const thing = (spec: JsonObject) =>
  freeze(asKubeObject({ apiVersion: 'e/v1', kind: 'Thing', metadata: { name: 't' }, spec }));
const apply = (live: KubeObject, spec: JsonObject, manager: string) =>
  stored(things.apply(live, thing(spec), { ...by(manager), force: true }));
const unspecified = () =>
  asKubeObject({ apiVersion: 'e/v1', kind: 'Thing', metadata: { name: 't' } });

test('applying twice is applying once, and leaves prototypes alone', () => {
  fc.assert(
    fc.property(value, value, value, (first, second, edited) => {
      const one = apply(blank, first, 'one');
      const ed = stored(things.update(one, thing(edited), by('ed')));
      const once = apply(ed, second, 'two');
      const twice = apply(once, second, 'two');
      assert.ok(jsonEqual(asJson(once), asJson(twice)));
      assert.equal(Reflect.get({}, 'a'), undefined);
      assert.equal(Object.getPrototypeOf(once['spec'] ?? {}), Object.prototype);
    }),
    { numRuns: 300 },
  );
});
test('does not depend on the order of keys', () => {
  const reversed = (v: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(v)
        .reverse()
        .map(([k, x]) => [
          k,
          typeof x === 'object' && x !== null && !Array.isArray(x) ? reversed(x) : x,
        ]),
    );
  fc.assert(
    fc.property(value, value, (first, second) => {
      const run = (f: JsonObject, s: JsonObject) => apply(apply(blank, f, 'one'), s, 'two');
      const one = run(first, second);
      const other = run(reversed(first), reversed(second));
      assert.ok(jsonEqual(asJson(one), asJson(other)));
      assert.equal(
        JSON.stringify(one.metadata.managedFields),
        JSON.stringify(other.metadata.managedFields),
      );
    }),
    { numRuns: 300 },
  );
});
test('removes what only its applier named', () => {
  fc.assert(
    fc.property(value, (spec) => {
      const one = apply(blank, spec, 'one');
      const gone = things.apply(one, freeze(unspecified()), { ...by('one'), force: false });
      assert.equal(gone['spec'] ?? undefined, undefined);
    }),
  );
});
