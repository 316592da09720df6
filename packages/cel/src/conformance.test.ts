/**
 * The language's conformance tests. What cannot be run is excluded with a reason; what fails and is
 * known to is listed with a reason, and fails this test when it passes.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  conformanceTests,
  NeedsProtobuf,
  toBinding,
  toCelType,
  toCelValue,
  usesMessages,
} from '../testing/conformance-suite.ts';
import type { ConformanceTest } from '../testing/conformance-suite.ts';
import {
  bindingsLibrary,
  createEnvironment,
  encodersLibrary,
  formatIssues,
  isError,
  listsLibrary,
  mathLibrary,
  setsLibrary,
  stringsLibrary,
  twoVariableComprehensionsLibrary,
} from './index.ts';
import type { CelResult, CelType, CelValue } from './index.ts';
import { formatType } from './types/format-type.ts';
import { isEqual } from './values/equality.ts';

/** Why a test fails, by `section/name`. */
const knownFailures: ReadonlyMap<string, string> = new Map([
  [
    'optionals/optionals/map_null_entry_no_such_key',
    'selecting from a scalar behind an optional is none, as it is in cel-go without an option',
  ],
  [
    'optionals/optionals/map_present_key_invalid_field',
    'selecting from a scalar behind an optional is none, as it is in cel-go without an option',
  ],
]);

/** Why a test cannot be run, or undefined if it can. */
function exclusion(test: ConformanceTest): string | undefined {
  const { original, section } = test;
  if (section.startsWith('block_ext/')) return 'cel.block is made by an optimizer that is not here';
  if (original.disableCheck) return 'only checked expressions are evaluated';
  if (usesMessages(original)) return 'protobuf messages';
  return original.typeEnv.some((declaration) => declaration.declKind.case !== 'ident')
    ? 'functions without an implementation'
    : undefined;
}

const libraries = [
  bindingsLibrary,
  encodersLibrary,
  listsLibrary(),
  mathLibrary(),
  setsLibrary,
  stringsLibrary(),
  twoVariableComprehensionsLibrary,
];

/** What is wrong with an outcome, or undefined. Throws `NeedsProtobuf`. */
function run({ original }: ConformanceTest): string | undefined {
  const variables: Record<string, CelType> = {};
  for (const { name, declKind } of original.typeEnv) {
    if (declKind.case === 'ident') variables[name] = toCelType(declKind.value.type);
  }
  const bindings: Record<string, CelValue> = {};
  for (const [name, value] of Object.entries(original.bindings)) bindings[name] = toBinding(value);
  const environment = createEnvironment({
    variables,
    libraries,
    container: original.container,
    optionalSyntax: true,
    escapedIdentifiers: true,
    crossTypeNumericComparisons: true,
  });
  const matcher = original.resultMatcher;
  const { program, issues } = environment.compile(original.expr);
  if (program === undefined) {
    return matcher.case === 'evalError' ? undefined : formatIssues(original.expr, issues);
  }
  if (matcher.case === 'typedResult') {
    const expected = formatType(toCelType(matcher.value.deducedType));
    const found = formatType(program.resultType);
    if (found !== expected) return `type ${found}, expected ${expected}`;
  }
  if (original.checkOnly) return undefined;
  return compare(program.evaluate(bindings, { costLimit: 1_000_000 }).result, matcher);
}

type Matcher = ConformanceTest['original']['resultMatcher'];

function compare(result: CelResult, matcher: Matcher): string | undefined {
  if (matcher.case === 'evalError') return isError(result) ? undefined : 'no error';
  if (isError(result)) return result.message;
  const expected = expectedValue(matcher);
  const isSame = isEqual(result, expected) || Object.is(result, expected);
  return isSame ? undefined : 'another value';
}

function expectedValue(matcher: Matcher): CelValue {
  if (matcher.case === 'value') return toCelValue(matcher.value);
  if (matcher.case === 'typedResult' && matcher.value.result !== undefined) {
    return toCelValue(matcher.value.result);
  }
  return true;
}

interface SectionCount {
  passed: number;
  failed: number;
  excluded: number;
}

describe('conformance with the specification', () => {
  const failures: string[] = [];
  const surprises: string[] = [];
  const sections = new Map<string, SectionCount>();
  const excluded = new Map<string, number>();

  const exclude = (count: SectionCount, reason: string): void => {
    count.excluded++;
    excluded.set(reason, (excluded.get(reason) ?? 0) + 1);
  };

  const attempt = (test: ConformanceTest, count: SectionCount): void => {
    const reason = exclusion(test);
    if (reason !== undefined) return exclude(count, reason);
    const id = `${test.section}/${test.name}`;
    try {
      const problem = run(test);
      count[problem === undefined ? 'passed' : 'failed']++;
      if (problem !== undefined && !knownFailures.has(id)) {
        failures.push(`${id}: ${test.original.expr}: ${problem}`);
      }
      if (problem === undefined && knownFailures.has(id)) surprises.push(id);
    } catch (error) {
      if (!(error instanceof NeedsProtobuf)) throw error;
      exclude(count, 'protobuf messages');
    }
  };

  for (const test of conformanceTests()) {
    const [file = ''] = test.section.split('/');
    const count = sections.get(file) ?? { passed: 0, failed: 0, excluded: 0 };
    sections.set(file, count);
    attempt(test, count);
  }

  it('holds for every test that can be run', (context) => {
    for (const [file, { passed, failed, excluded: left }] of sections) {
      context.diagnostic(`${file}: ${passed} passed, ${failed} known to fail, ${left} excluded`);
    }
    for (const [reason, count] of excluded) context.diagnostic(`excluded ${count}: ${reason}`);
    assert.deepEqual(failures, []);
  });

  it('fails where it is known to', () => {
    assert.deepEqual(surprises, []);
  });

  it('runs most of the suite', () => {
    const passed = [...sections.values()].reduce((sum, count) => sum + count.passed, 0);
    assert.ok(passed >= 1500, `${passed} passed`);
  });
});
