import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import type { JsonObject } from '../json.ts';
import {
  difference,
  emptyFieldSet,
  fieldSetOf,
  forEachPath,
  formatPath,
  intersection,
  isSubset,
  parseFieldSet,
  recursiveDifference,
  union,
  type FieldSet,
} from './field-set.ts';
import { canonicalElement, compareElements, FieldSetError, formatElement } from './path-element.ts';

describe('path elements', () => {
  const rows: [given: string, canonical: string, formatted: string][] = [
    ['f:spec', 'f:spec', '.spec'],
    ['f:', 'f:', '.'],
    ['k:{"name":"web"}', 'k:{"name":"web"}', '[name="web"]'],
    [
      'k:{ "protocol":"TCP", "containerPort":80 }',
      'k:{"containerPort":80,"protocol":"TCP"}',
      '[containerPort=80,protocol="TCP"]',
    ],
    ['v:"a\\"b"', 'v:"a\\"b"', '[="a\\"b"]'],
    ['v: 1.50', 'v:1.5', '[=1.5]'],
    ['v:true', 'v:true', '[=true]'],
    ['i:007', 'i:7', '[7]'],
  ];
  for (const [given, canonical, formatted] of rows) {
    it(`reads ${given}`, () => {
      assert.equal(canonicalElement(given), canonical);
      assert.equal(formatElement(canonical), formatted);
    });
  }
  it('drops kinds of the future', () => assert.equal(canonicalElement('x:1'), undefined));
  for (const bad of ['', 'f', 'spec', 'k:', 'k:[]', 'k:{', 'v:', 'v:{', 'i:x', 'i:1.5']) {
    it(`refuses ${JSON.stringify(bad)}`, () => {
      assert.throws(() => canonicalElement(bad), FieldSetError);
    });
  }
  it('has one order', () => {
    const ordered = [
      '.',
      'f:a',
      'f:ab',
      'f:b',
      'f:\u{e000}',
      'f:\u{10000}',
      'k:{"a":2}',
      'k:{"a":10}',
      'k:{"a":"b"}',
      'k:{"a":"b","c":1}',
      'k:{"a":"b!"}',
      'k:{"b":1}',
      'v:2',
      'v:10',
      'v:"a"',
      'v:"b"',
      'v:false',
      'v:true',
      'v:null',
      'i:2',
      'i:10',
    ];
    assert.deepEqual([...ordered].reverse().sort(compareElements), ordered);
  });
});

describe('parseFieldSet', () => {
  const rows: [given: JsonObject, text: string][] = [
    [{}, '{}'],
    [{ 'f:b': {}, 'f:a': {} }, '{"f:a":{},"f:b":{}}'],
    [{ 'f:a': { 'f:c': {}, '.': {} } }, '{"f:a":{".":{},"f:c":{}}}'],
    [{ 'f:a': { '.': {} } }, '{"f:a":{}}'],
    [{ 'f:a': { 'z:1': {} } }, '{"f:a":{}}'],
    [
      { 'i:1': {}, 'v:1': {}, 'k:{"b":1}': {}, 'f:z': {} },
      '{"f:z":{},"k:{\\"b\\":1}":{},"v:1":{},"i:1":{}}',
    ],
  ];
  for (const [given, text] of rows) {
    it(`${JSON.stringify(given)} is ${text}`, () => {
      assert.equal(JSON.stringify(parseFieldSet(given)), text);
    });
  }
  for (const bad of [{ 'f:a': 1 }, { 'f:a': [] }, { 'f:a': null }, { nonsense: {} }]) {
    it(`refuses ${JSON.stringify(bad)}`, () => {
      assert.throws(() => parseFieldSet(bad as JsonObject), FieldSetError);
    });
  }
});

describe('the algebra of sets', () => {
  const element = fc.constantFrom('f:a', 'f:b', 'k:{"n":"x"}', 'k:{"n":"y"}', 'v:1');
  const paths = fc.array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 8 });
  const texts = (set: FieldSet) => {
    const found: string[] = [];
    forEachPath(set, (path) => found.push(path.join('/')));
    return new Set(found);
  };
  const sorted = (values: Iterable<string>) => [...values].sort();
  const isSorted = (set: FieldSet): boolean => {
    const keys = Object.keys(set);
    return (
      keys.every((key, i) => i === 0 || compareElements(keys[i - 1] ?? '', key) < 0) &&
      keys.every((key) => isSorted(set[key] ?? {}))
    );
  };

  it('agrees with sets of paths', () => {
    fc.assert(
      fc.property(paths, paths, (p, q) => {
        const a = fieldSetOf(...p);
        const b = fieldSetOf(...q);
        const [x, y] = [texts(a), texts(b)];
        const below = (path: string) =>
          [...y].some((other) => path === other || path.startsWith(`${other}/`));
        const results: [FieldSet, Iterable<string>][] = [
          [union(a, b), x.union(y)],
          [intersection(a, b), x.intersection(y)],
          [difference(a, b), x.difference(y)],
          [recursiveDifference(a, b), [...x].filter((path) => !below(path))],
        ];
        for (const [set, want] of results) {
          assert.deepEqual(sorted(texts(set)), sorted(want));
          assert.ok(isSorted(set));
          assert.deepEqual(parseFieldSet(set as JsonObject), set);
        }
        assert.equal(isSubset(a, b), x.isSubsetOf(y));
      }),
      { numRuns: 500 },
    );
  });
  it('gives the operand when that is the result', () => {
    const a = fieldSetOf(['f:a', 'f:b'], ['f:a']);
    const b = fieldSetOf(['f:z']);
    assert.equal(union(a, emptyFieldSet), a);
    assert.equal(union(a, fieldSetOf(['f:a'])), a);
    assert.equal(difference(a, b), a);
    assert.equal(recursiveDifference(a, b), a);
  });
  it('formats paths', () => {
    assert.equal(
      formatPath(['f:spec', 'f:ports', 'k:{"port":80}', 'f:name']),
      '.spec.ports[port=80].name',
    );
  });
});
