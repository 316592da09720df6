// An environment remembers what calls with plain types match. It must not show.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { standardLibrary } from '../library/standard/standard-library.ts';
import { optionalLibrary } from '../library/optional/optional-library.ts';
import { createFrontEnd } from '../front-end.ts';
import { globalOverload } from '../library/library.ts';
import { celTypes, objectType, typeParameter } from '../types/type.ts';
import { DeclaredFunction } from './declared-function.ts';

const variables = { x: celTypes.dyn, i: celTypes.int, s: celTypes.string };
const createEnd = () => createFrontEnd({ variables, optionalSyntax: true });

const expressions = [
  'i + 1 == 2 && s.startsWith("a")',
  'x == i || x == s',
  'x.a + 1 > 2.5',
  '[x].map(a, a + 1)',
  '[].map(a, [a]) == [[]]',
  '[1].map(a, a + 1)[0] == i ? {} : {"a": []}',
  'optional.none() == optional.of(i)',
  'dyn([]) == dyn(i)',
  'i == s',
  '[] + s',
  '(i == 1 ? [] : i) == 1',
  's.size() + size(s) + size([]) + size(x)',
];

describe('what an environment remembers of calls', () => {
  for (const expression of expressions)
    it(`${expression} is checked as by a new one`, () => {
      const fresh = createEnd().check(expression);
      const used = createEnd();
      for (const other of [...expressions, ...expressions]) used.check(other);
      assert.deepEqual(used.check(expression), fresh);
    });

  it('is bounded', () => {
    const overload = globalOverload('f', [[typeParameter('T')], celTypes.bool], () => true);
    const callable = new DeclaredFunction('f', [overload]);
    const places = Array.from({ length: 10_000 }, (_, i) =>
      callable.known(false, [objectType(`T${i}`)]),
    );
    const known = places.filter((place) => place !== undefined);
    assert.ok(known.length > 100 && known.length < 1_000, String(known.length));
    assert.equal(callable.known(false, [objectType('another')]), undefined);
  });

  it('is told apart by how a function is called', () => {
    const { functions } = createEnd().declarations;
    for (const { functions: own = [] } of [standardLibrary({ isCrossType: true }), optionalLibrary])
      for (const { name } of own) {
        const callable = functions.get(name);
        assert.ok(callable);
        const shapes = [true, false].flatMap((isMember) =>
          [0, 1, 2, 3].flatMap((count) => callable.taking(isMember, count)),
        );
        assert.deepEqual(
          new Set(shapes.map(({ overload }) => overload)),
          new Set(callable.overloads),
        );
        assert.notEqual(
          callable.known(true, [celTypes.int]),
          callable.known(false, [celTypes.int]),
        );
      }
  });
});
