/**
 * No expression, however hostile, throws, hangs, fills the memory or costs more than it may.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  bindingsLibrary,
  celTypes,
  createEnvironment,
  encodersLibrary,
  formatIssues,
  fromJson,
  isError,
  listsLibrary,
  mathLibrary,
  setsLibrary,
  stringsLibrary,
  twoVariableComprehensionsLibrary,
} from './index.ts';

const environment = createEnvironment({
  variables: { x: celTypes.dyn, big: celTypes.string },
  optionalSyntax: true,
  crossTypeNumericComparisons: true,
  validateLiterals: true,
  libraries: [
    bindingsLibrary,
    encodersLibrary,
    listsLibrary(),
    mathLibrary(),
    setsLibrary,
    stringsLibrary(),
    twoVariableComprehensionsLibrary,
  ],
});

const bindings = { x: fromJson({ a: [1, 'b', null], c: { d: 2 } }), big: 'ab'.repeat(50_000) };
const costLimit = 100_000;

/** No single operation of these tests costs more than what it is counted for, plus this. */
const overshootMax = 11_000_000;

/** What becomes of an expression; throws where the engine does. */
function attempt(text: string): string {
  const { program, issues } = environment.compile(text);
  if (program === undefined) return formatIssues(text, issues);
  program.estimateCost();
  const { result, cost } = program.evaluate(bindings, { costLimit });
  assert.ok(cost <= costLimit + overshootMax, `${text} cost ${cost}`);
  if (cost > costLimit) assert.ok(isError(result));
  return isError(result) ? result.message : 'a value';
}

const nested = (open: string, core: string, close: string, depth: number): string =>
  open.repeat(depth) + core + close.repeat(depth);

describe('hostile expressions', () => {
  const tooDeep = 'expression recursion limit exceeded: 250';
  const tooHigh = 'max recursion depth exceeded';
  const rows: readonly (readonly [name: string, text: string, outcome: string | RegExp])[] = [
    ['parentheses as deep as allowed', nested('(', '1', ')', 249), 'a value'],
    ['parentheses deeper than that', nested('(', '1', ')', 251), new RegExp(tooDeep)],
    ['parentheses without end', '('.repeat(50_000), new RegExp(tooDeep)],
    ['lists in lists', nested('[', '1', ']', 249), 'a value'],
    ['maps in maps', nested('{1:', '1', '}', 249), 'a value'],
    ['many negations', `${'-'.repeat(99_000)}1`, 'a value'],
    ['a long chain of fields', `x${'.a'.repeat(300)}`, new RegExp(tooHigh)],
    ['a long chain of sums', `1${' + 1'.repeat(300)}`, new RegExp(tooHigh)],
    ['a long chain of choices', `${'true ? 1 : '.repeat(300)}1`, new RegExp(tooDeep)],
    ['a wide disjunction', Array(14_000).fill('false').join('||'), 'a value'],
    ['a wide list', `[${Array(45_000).fill('1').join(',')}].size()`, 'a value'],
    ['a wide list of mistakes', `[${Array(45_000).fill('y').join(',')}]`, /undeclared reference/],
    ['a text of no tokens', '@'.repeat(99_000), /token recognition error/],
    ['an unfinished text', '"a'.repeat(30_000), /Syntax error|limit exceeded/],
    ['unfinished operators', '(-a.b '.repeat(10_000), /recursion|Syntax error/],
    ['a text that is too long', ' '.repeat(100_001), /expression code point size exceeds limit/],
    ['loops in loops', nested('[1,2,3,4].exists(a,', 'false', ')', 100), /cost limit exceeded/],
    [
      'optional upon optional',
      `optional.of(1)${'.optMap(y, y)'.repeat(100)}`,
      /cost limit exceeded/,
    ],
    [
      'a list that doubles',
      `${Array.from({ length: 40 }, (_, n) => `cel.bind(l${n + 1}, l${n} + l${n}, `).join('')}l40.size()`.replace(
        'l0 + l0',
        '[1, 2, 3]',
      ) + ')'.repeat(40),
      'operation cancelled: list too long',
    ],
    [
      'a text that grows',
      '"aaaaaaaaaa"' +
        '.replace("", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")'.repeat(9),
      /operation cancelled/,
    ],
    [
      'many long texts',
      'lists.range(9000).map(i, big.replace("a", "aaaaaaaaaaaaaaaa"))',
      /cancelled/,
    ],
    [
      'a type that doubles',
      `${Array.from({ length: 40 }, (_, n) => `cel.bind(m${n + 1}, {m${n}: m${n}}, `).join('')}true`.replace(
        '{m0: m0}',
        '{1: 1}',
      ) + ')'.repeat(40),
      'a value',
    ],
    ['a long range', 'lists.range(9223372036854775807)', /exceeds maximum/],
    ['a pattern that backtracks', `"${'a'.repeat(5000)}".matches("(a*)*(b|a*)*c$")`, 'a value'],
    [
      'a pattern that is huge',
      '"a".matches("((((a{9}){9}){9}){9}){9}")',
      /a value|matches argument/,
    ],
    ['an endless precision', '"%.99999999f".format([1.0])', /out of range/],
    ['a map that is filled', 'lists.range(5000).transformMap(i, v, v).size()', /value|cost limit/],
  ];

  for (const [name, text, outcome] of rows) {
    it(`answers ${name}`, { timeout: 20_000 }, () => {
      const found = attempt(text);
      if (typeof outcome === 'string') assert.equal(found, outcome);
      else assert.match(found.slice(0, 2000), outcome);
    });
  }

  it('survives data nested deeper than the stack', () => {
    let json: ReturnType<typeof JSON.parse> = 1;
    for (let depth = 0; depth < 100_000; depth++) json = [json];
    const { program } = environment.compile('x == x && dyn([x]) == [x, 1]');
    const deep = fromJson(json);
    const other = fromJson(structuredCloneOf(100_000));
    const { result } = environment
      .compile('x == y')
      .program?.evaluate({ x: deep, y: other }, { costLimit }) ??
      program?.evaluate({ x: deep }, { costLimit }) ?? { result: null };
    assert.ok(result === true || result === false || (result !== null && isError(result)));
  });
});

function structuredCloneOf(depth: number): ReturnType<typeof JSON.parse> {
  let json: ReturnType<typeof JSON.parse> = 1;
  for (let level = 0; level < depth; level++) json = [json];
  return json;
}

describe('random expressions', () => {
  const words = fc.constantFrom(
    ...(
      'x big 1 0 -1 2u 1.5 "a" \'b\' b"c" true false null [ ] { } ( ) . , : ? ?. [? && || ! - + * / % == != < <= > ' +
      'in .a .c.d .all( .exists( .map( .filter( .size() has( size( int( string( type( duration( timestamp( e i v ' +
      '"1h" .matches( .replace( .split( .join( .sort() .flatten() .distinct() lists.range( math.greatest( cel.bind( ' +
      'optional.of( .optMap( .orValue( .transformMap( .transformList( .format( "%s%d" sets.contains( 9223372036854775807'
    ).split(' '),
  );
  const leaf = fc.constantFrom(
    'x',
    '1',
    '"ab"',
    '[1, 2]',
    '{"k": 1}',
    '2.5',
    'true',
    'null',
    '3u',
    'x.a',
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('+', '-', '*', '/', '%', '==', '<', '&&', '||', 'in'),
          tie('expression'),
        )
        .map(([left, operator, right]) => `(dyn(${left}) ${operator} dyn(${right}))`),
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('all', 'exists', 'map', 'filter', 'exists_one'),
          tie('expression'),
        )
        .map(([range, macro, body]) => `dyn(${range}).${macro}(x, dyn(${body}))`),
      fc
        .tuple(tie('expression'), tie('expression'), tie('expression'))
        .map(([condition, left, right]) => `(dyn(${condition}) ? dyn(${left}) : dyn(${right}))`),
      tie('expression').map((inner) => `dyn(dyn([${inner}]).map(y, [y, y]))`),
      fc
        .tuple(fc.constantFrom('size', 'string', 'int', 'type', 'double'), tie('expression'))
        .map(([name, inner]) => `${name}(dyn(${inner}))`),
      fc
        .tuple(tie('expression'), tie('expression'))
        .map(([left, key]) => `dyn(${left})[dyn(${key})]`),
    ),
  }));

  it('of any characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => void attempt(text)),
      {
        numRuns: 500,
        seed: 1,
      },
    );
  });

  it('of words of the language', () => {
    const texts = fc.array(words, { maxLength: 30 }).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(texts, (text) => void attempt(text)),
      { numRuns: 1500, seed: 2 },
    );
  });

  it('that parse, of values of the wrong types', () => {
    fc.assert(
      fc.property(expression, (text) => void attempt(text)),
      { numRuns: 1500, seed: 3 },
    );
  });
});
