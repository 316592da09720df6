/**
 * Costs are a promise: a limit means here what it means in Kubernetes. Numbers are cel-go's.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bindingsLibrary,
  celTypes,
  createEnvironment,
  declareFunction,
  fromJson,
  globalOverload,
  listsLibrary,
  listType,
  mapType,
  setsLibrary,
  stringsLibrary,
} from '../index.ts';
import type { Bindings, CostEstimator } from '../index.ts';

const environment = createEnvironment({
  variables: {
    b: celTypes.bool,
    i: celTypes.int,
    s: celTypes.string,
    t: celTypes.string,
    l: listType(celTypes.string),
    m: mapType(celTypes.string, mapType(celTypes.string, celTypes.string)),
    any: celTypes.dyn,
  },
  libraries: [bindingsLibrary, listsLibrary(), setsLibrary, stringsLibrary(2)],
  optionalSyntax: true,
  freePresenceTests: true,
});

const bindings: Bindings = {
  b: true,
  i: 1n,
  s: 's'.repeat(500),
  t: 't'.repeat(500),
  l: fromJson(['a', 'b']),
  m: fromJson({ k: { j: 'v' } }),
  any: fromJson({ a: [1, 2] }),
};

/** Sizes: strings of at most 500, lists and maps of at most 2. */
const estimator: CostEstimator = {
  estimateSize: ({ type }) => ({ min: 0, max: type.kind === 'string' ? 500 : 2 }),
};

/** COMPAT: where cel-go counts more than it estimates. */
const underestimated: ReadonlySet<string> = new Set([
  'any.a',
  'any.?b.hasValue()',
  '[1, 2][0]',
  '{"a": 1}.a',
  's.startsWith("a")',
]);

describe('counted costs', () => {
  const rows: readonly (readonly [expression: string, cost: number])[] = [
    ['1', 0],
    ['i', 1],
    ['i + 1', 2],
    ['b || b', 1],
    ['!b || b', 3],
    ['b && b', 2],
    ['b ? 1 : 2', 1],
    ['b ? i : i', 1],
    ['l[0]', 2],
    ['l[i]', 2],
    ['l[1 - 1]', 3],
    ['m.k.j', 3],
    ['m["k"]["j"]', 3],
    ['has(m.k)', 1],
    ['has(m.k.j)', 2],
    ['any.a', 2],
    ['any.?b.hasValue()', 2],
    ['[1, 2, 3]', 10],
    ['{"a": 1}', 30],
    ['[1, 2][0]', 12],
    ['{"a": 1}.a', 32],
    ['2 in [1, 2, 3]', 13],
    ['i in [1, 2, 3]', 14],
    ['"k" in m', 2],
    ['s == t', 52],
    ['i == 1', 2],
    ['s + t', 102],
    ['s.contains(t)', 2502],
    ['s.startsWith("a")', 51],
    ['"a".startsWith(s)', 2],
    ['s.matches("[0-9]")', 103],
    ['"123".matches("[0-9]")', 2],
    ['bytes(s)', 51],
    ['size(s)', 2],
    ['string(i)', 2],
    ['[1, 2, 3].all(x, true)', 20],
    ['l.all(x, true)', 8],
    ['l.exists(x, x == "b")', 14],
    ['l.map(x, x)', 38],
    ['l.filter(x, x == "b")', 29],
    ['(b ? l : l).all(x, true)', 8],
    ['[{"a": 1}, {"b": 2}].all(x, true)', 77],
    ['cel.bind(x, i + 1, x + x)', 15],
    ['cel.bind(x, i + 1, 0)', 10],
    ['sets.contains(l, l)', 7],
    ['[3, 1, 2].sort()', 39],
    ['["c", "a"].sort()', 29],
    ['[1, 2].reverse()', 23],
    ['lists.range(5)', 16],
    ['[[1], [2]].flatten()', 43],
    ['"%s".format([i])', 12],
    ['1 / 0 > 1 || true', 2],
  ];

  for (const [expression, expected] of rows) {
    it(`${expression} costs ${expected}`, () => {
      const { program } = environment.compile(expression);
      assert.ok(program !== undefined);
      const { cost } = program.evaluate(bindings);
      assert.equal(cost, expected);
      const estimate = program.estimateCost(estimator);
      assert.ok(estimate.max >= cost || underestimated.has(expression), `at most ${estimate.max}`);
    });
  }

  it('leave constants out where they are folded', () => {
    const folding = environment.extend({ foldConstants: true });
    const folded: readonly (readonly [string, number])[] = [
      ['[1, 2, 3].all(x, true)', 10],
      ['i in [1, 2, 3]', 1],
      ['duration("1h") < duration("2h")', 1],
      ['{"a": [1]}.a', 2],
      ['i in []', 0],
    ];
    for (const [expression, expected] of folded) {
      assert.equal(
        folding.compile(expression).program?.evaluate(bindings).cost,
        expected,
        expression,
      );
    }
  });
});

describe('estimated costs', () => {
  const rows: readonly (readonly [expression: string, min: number, max: number])[] = [
    ['i', 1, 1],
    ['b || i == 1', 1, 3],
    ['b ? s + t : s', 2, 103],
    ['any.a', 1, 1],
    ['m.k.j', 3, 3],
    ['has(m.k.j)', 2, 2],
    ['l[0]', 2, 2],
    ['s == t', 3, 52],
    ['s.contains(t)', 2, 2502],
    ['s.startsWith("abc")', 2, 2],
    ['s.matches("a.*b")', 2, 52],
    ['l.all(x, x == "a")', 2, 12],
    ['l.all(x, l.all(y, x == y))', 2, 232],
    ['l.map(x, x)', 12, 38],
    ['[1, 2, 3].all(x, true)', 20, 20],
    ['(l + l).all(x, true)', 4, 16],
    ['cel.bind(x, s, x == x)', 14, 63],
    ['sets.contains(l, l)', 3, 7],
    ['l.sort()', 12, 21],
    ['l.reverse()', 12, 14],
    ['lists.range(5)', 16, 16],
    ['l.slice(0, 2)', 14, 14],
  ];

  for (const [expression, min, max] of rows) {
    it(`${expression} costs ${min} to ${max}`, () => {
      const estimate = environment.compile(expression).program?.estimateCost(estimator);
      assert.deepEqual(estimate, { min, max });
    });
  }

  it('ask about values by their path', () => {
    const asked = new Set<string>();
    const program = environment.compile('l.all(x, x == s) && m.all(k, m[k].j == k)').program;
    program?.estimateCost({
      estimateSize: ({ path }) => {
        if (path !== undefined) asked.add(path.join('.'));
        return undefined;
      },
    });
    for (const path of ['l', 'l.@items', 's', 'm', 'm.@keys', 'm.@values.j']) {
      assert.ok(asked.has(path), `${path} is not among ${[...asked].join(', ')}`);
    }
  });

  it('are unbounded without bounds', () => {
    const estimate = environment.compile('l.all(x, x == s)').program?.estimateCost();
    assert.deepEqual(estimate, { min: 2, max: 2 ** 64 });
  });
});

describe('costs of libraries and embedders', () => {
  const costly = declareFunction(
    'costly',
    globalOverload('costly_int', [[celTypes.int], celTypes.int], (value: bigint) => value, {
      estimate: () => ({ cost: { min: 5, max: 50 } }),
      cost: ({ result }) => (typeof result === 'bigint' ? Number(result) : undefined),
    }),
    globalOverload('costly_string', [[celTypes.string], celTypes.int], () => 1n),
  );
  const extended = environment.extend({
    libraries: [{ name: 'test', functions: [costly] }],
    costs: {
      estimate: (call) => (call.function === 'costly' ? { cost: { min: 7, max: 7 } } : undefined),
      count: (call) => (call.function === 'costly' ? 7 : undefined),
    },
  });

  it('come from the overload, else from the embedder, else are 1', () => {
    const rows = [
      ['costly(20)', 20, { min: 5, max: 50 }],
      ['costly("a")', 7, { min: 7, max: 7 }],
      ['size("a")', 1, { min: 1, max: 1 }],
    ] as const;
    for (const [expression, cost, estimate] of rows) {
      const program = extended.compile(expression).program;
      assert.equal(program?.evaluate(bindings).cost, cost, expression);
      assert.deepEqual(program?.estimateCost(), estimate, expression);
    }
  });
});

describe('limits of an evaluation', () => {
  const program = environment.compile('l.map(x, x + s).size()').program;

  it('end it when it costs more', () => {
    const full = program?.evaluate(bindings).cost ?? 0;
    const atLimit = program?.evaluate(bindings, { costLimit: full });
    assert.equal(atLimit?.result, 2n);
    const above = program?.evaluate(bindings, { costLimit: full - 1 });
    assert.deepEqual(above?.result, {
      kind: 'error',
      message: 'operation cancelled: actual cost limit exceeded',
      fatal: true,
    });
    assert.equal(above?.cost, full);
  });

  it('are not absorbed', () => {
    const absorbing = environment.compile('l.map(x, x + s).size() == 9 || true').program;
    const { result } = absorbing?.evaluate(bindings, { costLimit: 20 }) ?? {};
    assert.ok(typeof result === 'object' && result !== null && 'kind' in result);
    assert.equal(result.kind, 'error');
  });

  it('end it when it is aborted', () => {
    const loops = environment.compile(
      '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(x, l.all(y, x > 0))',
    ).program;
    const frequent = environment.extend({ interruptionCheckFrequency: 1 });
    const signal = { aborted: true };
    assert.equal(loops?.evaluate(bindings, { signal }).result, true);
    const { result } =
      frequent.compile('[1].all(x, x > 0)').program?.evaluate(bindings, { signal }) ?? {};
    assert.deepEqual(result, { kind: 'error', message: 'operation interrupted', fatal: true });
  });
});
