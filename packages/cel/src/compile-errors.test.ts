/**
 * What users read when an expression is wrong. The texts are cel-go's, and those of the Kubernetes
 * API with them.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getParsingSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { assertResults, issuesText } from '../testing/expression-table.ts';
import { celTypes, createEnvironment, formatIssues, stringsLibrary } from './index.ts';

const environment = createEnvironment({
  optionalSyntax: true,
  validateLiterals: true,
  homogeneousLiterals: true,
  libraries: [stringsLibrary(2)],
});

const operands =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

describe('compile errors', () => {
  it('show the line and the place', () => {
    const rows = [
      [
        '1 == 1.0',
        'ERROR: <input>:1:3: found no matching overload for ' +
          "'_==_' applied to '(int, double)'\n | 1 == 1.0\n | ..^",
      ],
      [
        'true &&\n  nope(1)',
        'ERROR: <input>:2:7: undeclared reference to ' +
          "'nope' (in container '')\n |   nope(1)\n | ......^",
      ],
      [
        'a == 1 && b',
        "ERROR: <input>:1:1: undeclared reference to 'a' (in container '')\n | a == 1 && b\n | ^\n" +
          "ERROR: <input>:1:11: undeclared reference to 'b' (in container '')\n | a == 1 && b\n | ..........^",
      ],
      [
        '"é" + x',
        "ERROR: <input>:1:7: undeclared reference to 'x' (in container '')\n | \"é\" + x\n | .．....^",
      ],
    ] as const;
    for (const [text, expected] of rows) assert.equal(issuesText(environment, text), expected);
  });

  it('word what does not parse', () => {
    assertResults(environment, [
      ['', `Syntax error: mismatched input '<EOF>' expecting ${operands}`],
      ['1 >', `Syntax error: mismatched input '<EOF>' expecting ${operands}`],
      ['(1 == 1', "Syntax error: missing ')' at '<EOF>'"],
      ['true true', "Syntax error: extraneous input 'true' expecting <EOF>"],
      ['"a".', "Syntax error: no viable alternative at input '.'"],
      [
        '"a',
        `Syntax error: token recognition error at: '"a'; ` +
          `Syntax error: mismatched input '<EOF>' expecting ${operands}`,
      ],
      [
        'a = 1',
        "Syntax error: token recognition error at: '= '; Syntax error: extraneous input '1' expecting <EOF>",
      ],
      ['99999999999999999999', 'invalid int literal'],
      ['99999999999999999999u', 'invalid uint literal'],
      ['1e999', 'invalid double literal'],
      ['for', 'reserved identifier: for'],
      [
        'if (true) {}',
        "reserved identifier: if; Syntax error: mismatched input '{' expecting <EOF>",
      ],
      ['has(1)', 'invalid argument to has() macro'],
      ['[1].all(a.b, true)', 'argument must be a simple name'],
      ['[1].map(1, 2)', 'argument is not an identifier'],
      ['[1].map(__result__, 2)', 'iteration variable overwrites accumulator variable'],
      ['"\\uD800"', 'invalid unicode code point'],
      ['x.`a-b`', "unsupported syntax: '`'"],
    ]);
    assertResults(createEnvironment(), [
      ['{}.?a', "unsupported syntax '.?'"],
      ['[][?0]', "unsupported syntax '[?'"],
    ]);
  });

  it('word what has the wrong type', () => {
    assertResults(environment, [
      ['[[1]].sum()', "undeclared reference to 'sum' (in container '')"],
      ['"a".size(1)', "found no matching overload for 'size' applied to 'string.(int)'"],
      ['string(type(1))', "found no matching overload for 'string' applied to '(type(int))'"],
      ['true ? 1 : "a"', "found no matching overload for '_?_:_' applied to '(bool, int, string)'"],
      ['(1).a', "type 'int' does not support field selection"],
      [
        '(1).map(x, x)',
        "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
      ],
      ['[1, "a"]', "expected type 'int' but found 'string'"],
      ['{1: "a", true: "b"}', "expected type 'int' but found 'bool'"],
      [
        'string({1: "a", true: "b"})',
        "found no matching overload for 'string' applied to '(map(dyn, string))'",
      ],
      [
        '[1, [2, [3]]]',
        "expected type 'int' but found 'list(dyn)'; expected type 'int' but found 'list(int)'",
      ],
    ]);
  });

  it('find literals that can only fail', () => {
    assertResults(environment, [
      ['timestamp("nope")', 'invalid timestamp argument'],
      ['duration("1x")', 'invalid duration argument'],
      ['"a".matches("(")', 'invalid matches argument'],
      [
        '"%d".format(["a"])',
        'error during formatting: decimal clause can only be used on integers, was given string',
      ],
      ['"%s".format([])', 'index 0 out of range'],
      ['"x".format([1])', 'too many arguments supplied to string.format (expected 0, got 1)'],
      ['"%y".format([1])', 'could not parse formatting clause: unrecognized formatting clause "y"'],
      ['"%s %s".format([1, "a"])', '"1 a"'],
    ]);
  });

  it('say that a folded constant can only fail', () => {
    const folding = createEnvironment({ foldConstants: true });
    const message = folding.compile('bool("yes")').program?.instantiationError?.message;
    assert.equal(message, "type conversion error from 'string' to 'bool'");
    assert.equal(folding.compile('bool("true")').program?.instantiationError, undefined);
  });
});

/**
 * Errors of the published tests that hang on limits which only those tests set, and two that
 * differ.
 */
const differing: ReadonlySet<string> = new Set(['a ? b ((?))', 'self.true == 1', 'x{?.']);

describe('the errors of the published parser tests', () => {
  const plain = createEnvironment();
  const shallow = createEnvironment({ limits: { recursionDepthMax: 32 } });
  const tests = getParsingSuite().tests.filter(
    ({ error = '' }) => error !== '' && !/undeclared|no matching|lookahead/.test(error),
  );

  it('are the same texts', () => {
    assert.ok(tests.length > 80);
    for (const { original, error = '' } of tests) {
      if (differing.has(original.expr)) continue;
      const isShallow = /limit exceeded: 32|max recursion/.test(error);
      const { issues } = (isShallow ? shallow : plain).compile(original.expr);
      const text = issues === undefined ? 'no issues' : formatIssues(original.expr, issues, '');
      assert.equal(text, error, original.expr);
    }
  });

  it('leave the type of an expression without errors', () => {
    assert.equal(plain.compile('1').program?.resultType, celTypes.int);
  });
});
