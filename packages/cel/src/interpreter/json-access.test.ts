/**
 * Plain JSON read by rows of fields, by comparisons and by `has`: the same as one step at a time.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertResults } from '../../testing/expression-table.ts';
import type { ExpressionRow } from '../../testing/expression-table.ts';
import { bindingsLibrary, celTypes, createEnvironment, fromJson } from '../index.ts';

const environment = createEnvironment({
  variables: { o: celTypes.dyn },
  optionalSyntax: true,
  crossTypeNumericComparisons: true,
});
const bindings = {
  o: fromJson({
    spec: {
      replicas: 3,
      half: 0.5,
      large: 2 ** 60,
      exact: 9007199254740993n,
      name: 'a',
      none: null,
    },
    list: [{ a: 1 }],
    left: undefined,
  }),
};

describe('JSON', () => {
  it('is read by fields', () => {
    const rows: readonly ExpressionRow[] = [
      ['o.spec.replicas', '3'],
      ['o.spec.half', '0.5'],
      ['o.spec.none', 'null'],
      ['o.spec.none.x', 'error: no such key: x'],
      ['o.missing.x', 'error: no such key: missing'],
      ['o.spec.missing', 'error: no such key: missing'],
      ['o.left', 'error: no such key: left'],
      ['o.list.length', "error: unsupported index type 'string' in list"],
      ['o.spec.name.length', 'error: no such key: length'],
      ['o.constructor', 'error: no such key: constructor'],
      ['o.spec.toString', 'error: no such key: toString'],
      ['o.list[0].a', '1'],
      ['o.?spec.replicas', 'optional(3)'],
      ['o.?missing.replicas', 'none'],
    ];
    assertResults(environment, rows, bindings);
  });

  it('is looked for by fields', () => {
    const rows: readonly ExpressionRow[] = [
      ['has(o.spec.replicas)', 'true'],
      ['has(o.spec.none)', 'true'],
      ['has(o.spec.missing)', 'false'],
      ['has(o.left)', 'false'],
      ['has(o.constructor)', 'false'],
      ['has(o.missing.x)', 'error: no such key: missing'],
      ['has(o.spec.name.length)', 'false'],
    ];
    assertResults(environment, rows, bindings);
  });

  it('is compared with whole numbers', () => {
    const rows: readonly ExpressionRow[] = [
      ['o.spec.replicas <= 3', 'true'],
      ['o.spec.replicas < 3', 'false'],
      ['o.spec.replicas >= 4', 'false'],
      ['o.spec.replicas > -1', 'true'],
      ['o.spec.replicas == 3', 'true'],
      ['o.spec.replicas != 3', 'false'],
      ['o.spec.half < 1', 'true'],
      ['o.spec.large > 9007199254740991', 'true'],
      ['o.spec.exact == 9007199254740992', 'false'],
      ['o.spec.exact == 9007199254740993', 'true'],
      ['o.spec.name == 3', 'false'],
      ['o.spec.name != 3', 'true'],
      ['o.spec.name <= 3', 'error: no such overload'],
      ['o.spec.none <= 3', 'error: no such overload'],
      ['o.spec.missing <= 3', 'error: no such key: missing'],
    ];
    assertResults(environment, rows, bindings);
  });

  it('is of one type where numbers of different types are not compared', () => {
    const strict = createEnvironment({ variables: { o: celTypes.dyn } });
    const rows: readonly ExpressionRow[] = [
      ['o.spec.replicas <= 3', 'true'],
      ['o.spec.half < 1', 'error: no such overload'],
      ['o.spec.half == 1', 'false'],
    ];
    assertResults(strict, rows, bindings);
  });

  it('costs the same however it is read', () => {
    const cost = (text: string) => environment.compile(text).program?.evaluate(bindings).cost;
    assert.equal(cost('o.spec.replicas <= 10'), 4);
    assert.equal(cost('o.spec.name <= 10'), 4);
    assert.equal(cost('o.spec.missing.x'), 4);
    assert.equal(cost('has(o.spec.replicas)'), 3);
  });
});

describe('a binding', () => {
  it('may be null', () => {
    const { program } = createEnvironment({ libraries: [bindingsLibrary] }).compile(
      'cel.bind(x, null, [x, x] == [null, null])',
    );
    assert.equal(program?.evaluate({}).result, true);
  });
});

describe('a variable', () => {
  it('may be null, in a record and from a function', () => {
    const { program } = environment.compile('o == null');
    assert.equal(program?.evaluate({ o: null }).result, true);
    assert.equal(program?.evaluate(() => null).result, true);
  });

  it('is an error where there is none', () => {
    const { program } = environment.compile('o == null');
    const expected = { kind: 'error', message: 'no such attribute(s): o' };
    assert.deepEqual(program?.evaluate({}).result, expected);
    assert.deepEqual(program?.evaluate(() => undefined).result, expected);
    assert.deepEqual(program?.evaluate(Object.create({ o: 1n })).result, expected);
  });
});
