/**
 * The trees of cel-go: what the parser makes of a text, and which types and overloads checking
 * finds for every node of it, from the specification's test data. Texts of errors are compared too.
 * What is known to differ is listed with a reason, and fails this test when it is the same.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  getCheckingSuite,
  getComprehensionSuite,
  getConformanceSuite,
  getParsingSuite,
} from '@bufbuild/cel-spec/testdata/tests.js';
import type { IncrementalTest, IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { NeedsProtobuf, toCelType, usesMessages } from '../testing/conformance-suite.ts';
import { checkedText, parsedText } from '../testing/debug-tree.ts';
import { createFrontEnd } from './front-end.ts';
import {
  bindingsLibrary,
  celTypes,
  declareFunction,
  encodersLibrary,
  formatIssues,
  globalOverload,
  listsLibrary,
  listType,
  mapType,
  mathLibrary,
  memberOverload,
  setsLibrary,
  stringsLibrary,
  twoVariableComprehensionsLibrary,
} from './index.ts';
import type { CelType, Library } from './index.ts';
import { optionalLibrary } from './library/optional/optional-library.ts';

/** Why a tree or an error differs, by expression. */
const parserDifferences: ReadonlyMap<string, string> = new Map([
  ['self.true == 1', 'the prediction of Kubernetes’ release of cel-go, which has one word for it'],
]);
const checkerDifferences: ReadonlyMap<string, string> = new Map([
  ['lists.filter(x, x > 1.5)', 'that test compares numbers of different types'],
]);
const treeDifferences: ReadonlyMap<string, string> = new Map([
  [
    'optional.none().optMap(y, y + 1).hasValue()',
    'the two uses of the target are one node, with one type',
  ],
  ['type(optional.none()) == optional_type', 'the type of a type names what it holds'],
  [
    '[optional.of(1), null][0]',
    'the type that the specification asks for, which cel-go does not deduce',
  ],
]);

/** Compares all, and says what differs though it should not, and what does not though it should. */
class Comparison {
  same = 0;
  excluded = 0;
  readonly #known: ReadonlyMap<string, string>;
  readonly #differing: string[] = [];
  readonly #surprises = new Set<string>();

  constructor(known: ReadonlyMap<string, string>) {
    this.#known = known;
  }

  compare(expression: string, found: string | undefined, expected: string | undefined): void {
    const isSame = found === expected;
    if (isSame) this.same++;
    const isKnown = this.#known.has(expression);
    if (isSame && isKnown) this.#surprises.add(expression);
    if (!isSame && !isKnown) this.#differing.push(`${expression}\n${found}\nexpected\n${expected}`);
  }

  finish(context: { diagnostic(message: string): void }): void {
    context.diagnostic(
      `${this.same} the same, ${this.#known.size} known to differ, ${this.excluded} excluded`,
    );
    assert.deepEqual(this.#differing, []);
    assert.deepEqual([...this.#surprises], [], 'known to differ, and do not');
  }
}

/** Parsers name their source differently. */
function namedAlike(text: string | undefined): string | undefined {
  return text?.replaceAll('ERROR: :', 'ERROR: <input>:');
}

describe('trees of cel-go', () => {
  it('are what the parser makes', (context) => {
    const comparison = new Comparison(parserDifferences);
    const { parse } = createFrontEnd({ limits: { recursionDepthMax: 32 } });
    const tests = [...getParsingSuite().tests, ...getComprehensionSuite().tests];
    for (const { original, ast, error } of tests) {
      const { expr } = original;
      if (/limit exceeded: 4/.test(error ?? '')) {
        // Four attempts of recovery are a setting of that test.
        comparison.excluded++;
        continue;
      }
      const { tree, issues } = parse(expr);
      const found = tree === undefined ? formatIssues(expr, issues) : parsedText(tree.expression);
      comparison.compare(expr, found, ast ?? namedAlike(error));
    }
    comparison.finish(context);
  });

  it('are what the checker makes of its own tests', (context) => {
    const comparison = new Comparison(checkerDifferences);
    for (const test of getCheckingSuite().tests) {
      const { expr } = test.original;
      const variables = variablesOf(test);
      if (variables === undefined || needsMore(test)) {
        comparison.excluded++;
        continue;
      }
      const { check } = createFrontEnd({
        variables,
        libraries: [optionalLibrary, functionsOfTests],
      });
      const { checked, issues } = check(expr);
      const found = checked === undefined ? formatIssues(expr, issues) : checkedText(checked);
      comparison.compare(expr, found, test.checkedAst ?? namedAlike(test.error));
    }
    comparison.finish(context);
  });

  it('are what the checker makes of the conformance tests', (context) => {
    const comparison = new Comparison(treeDifferences);
    for (const { original, checkedAst } of allTests(getConformanceSuite())) {
      const variables = declaredVariables(original);
      const isBlock = original.expr.startsWith('cel.block(');
      if (!checkedAst || !variables || isBlock || usesMessages(original)) {
        comparison.excluded++;
        continue;
      }
      const { check } = createFrontEnd({
        variables,
        libraries,
        container: original.container,
        optionalSyntax: true,
        escapedIdentifiers: true,
      });
      const { checked, issues } = check(original.expr);
      const found =
        checked === undefined ? formatIssues(original.expr, issues) : checkedText(checked);
      comparison.compare(original.expr, found, checkedAst);
    }
    comparison.finish(context);
    assert.ok(comparison.same >= 1430, `${comparison.same} trees are the same`);
  });
});

/**
 * Whether a test of the checker is about messages and wrappers, about functions that the test adds,
 * or about a variable `x` that it declares and only the message of an error speaks of.
 */
function needsMore({ original: { expr }, checkedAst, error = '' }: IncrementalTest): boolean {
  const texts = `${expr} ${checkedAst ?? ''} ${error}`;
  if (/TestAllTypes|google\.|Proto2|wrapper|null_(?:int|msg)|nestedgroup/.test(texts)) return true;
  if (/\b(?:set|myfun|encode)\(/.test(expr)) return true;
  return checkedAst === undefined && /\bx\b/.test(expr) && !/reference to 'x'/.test(error);
}

const libraries: readonly Library[] = [
  bindingsLibrary,
  encodersLibrary,
  listsLibrary(),
  mathLibrary(),
  setsLibrary,
  stringsLibrary(),
  twoVariableComprehensionsLibrary,
];

function allTests(suite: IncrementalTestSuite): IncrementalTest[] {
  return [...suite.tests, ...suite.suites.flatMap(allTests)];
}

type OriginalTest = IncrementalTest['original'];

/** The variables of a conformance test; undefined where they are messages or it has functions. */
function declaredVariables({ typeEnv }: OriginalTest): Record<string, CelType> | undefined {
  const variables: Record<string, CelType> = {};
  try {
    for (const { name, declKind } of typeEnv) {
      if (declKind.case !== 'ident') return undefined;
      variables[name] = toCelType(declKind.value.type);
    }
    return variables;
  } catch (error) {
    if (error instanceof NeedsProtobuf) return undefined;
    throw error;
  }
}

const { bool, bytes, double, dyn, int, string, uint } = celTypes;

/** What the checker's tests declare for all of them. */
const defaultVariables: Readonly<Record<string, CelType>> = {
  is: string,
  ii: int,
  iu: uint,
  iz: bool,
  ib: bytes,
  id: double,
  ix: celTypes.null,
};
const functionsOfTests: Library = {
  name: 'functions of the checker’s tests',
  functions: [
    declareFunction(
      'fg_s',
      globalOverload('fg_s_0', [[], string], () => ''),
    ),
    declareFunction(
      'fi_s_s',
      memberOverload('fi_s_s_0', [[string], string], () => ''),
    ),
  ],
};

/**
 * The checker's tests do not say what their other variables are, but the expected tree does:
 * `x~list(int)^x`. Undefined when a type cannot be read.
 */
function variablesOf({ checkedAst }: IncrementalTest): Record<string, CelType> | undefined {
  const variables = { ...defaultVariables };
  for (const [, name = '', text = ''] of (checkedAst ?? '').matchAll(/(\w+)~([\w(), ]+)\^\1\b/g)) {
    const type = readType(text);
    if (type === undefined) return undefined;
    variables[name] = type;
  }
  return variables;
}

const scalars: ReadonlyMap<string, CelType> = new Map(
  [bool, bytes, double, dyn, int, string, uint].map((type) => [type.name, type]),
);

function readType(text: string): CelType | undefined {
  const [, container, inner = ''] = /^(list|map)\((.*)\)$/.exec(text) ?? [];
  if (container === undefined) return scalars.get(text);
  const [key = '', value] = container === 'map' ? inner.split(/, (.*)/) : [inner];
  const first = readType(key);
  if (first === undefined || value === undefined) return first && listType(first);
  const second = readType(value);
  return second && mapType(first, second);
}
