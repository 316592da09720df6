/**
 * Random expressions, valid and not: nothing throws, nothing costs more than it may, and programs,
 * with and without folded constants, give and cost what the reference evaluator does.
 *
 * `npm test` runs a part; `KEELSON_CEL_EXPRESSIONS=100000` runs as many as it says.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createExpressionGenerator, generatedVariables } from '../testing/expression-generator.ts';
import { describeResult } from '../testing/expression-table.ts';
import { evaluateByReference } from '../testing/reference-evaluator.ts';
import { createProgram } from './create-program.ts';
import type { EnvironmentOptions } from './environment.ts';
import { createFrontEnd } from './front-end.ts';
import {
  bindingsLibrary,
  celTypes,
  fromJson,
  isError,
  listsLibrary,
  mathLibrary,
  setsLibrary,
  stringsLibrary,
  twoVariableComprehensionsLibrary,
} from './index.ts';
import type { CelValue, Evaluation } from './index.ts';

const expressions = Number(process.env['KEELSON_CEL_EXPRESSIONS'] ?? 20_000);
const seed = fc.readConfigureGlobal().seed ?? 1;
const costLimit = 10_000;
/** Costs that are charged together: a row of fields, a round of a loop. */
const blockCost = 20;

const variables = Object.fromEntries(
  Object.keys(generatedVariables).map((name) => [name, celTypes.dyn]),
);
const bindings: Readonly<Record<string, CelValue>> = Object.fromEntries(
  Object.entries(generatedVariables).map(([name, json]) => [name, fromJson(json)]),
);
const options: EnvironmentOptions = {
  variables,
  optionalSyntax: true,
  crossTypeNumericComparisons: true,
  libraries: [
    bindingsLibrary,
    listsLibrary(),
    mathLibrary(),
    setsLibrary,
    stringsLibrary(),
    twoVariableComprehensionsLibrary,
  ],
};

/** What can be compared of an evaluation: errors that give it up are all the same. */
function outcomeText({ result, cost }: Evaluation): string {
  const isGivenUp = isError(result) && result.fatal === true;
  return isGivenUp ? 'given up' : `${describeResult(result)} for ${cost}`;
}

describe('random expressions', () => {
  const frontEnd = createFrontEnd(options);
  const next = createExpressionGenerator(seed);
  const counts = { invalid: 0, failed: 0, values: 0, givenUp: 0 };

  const attempt = (text: string): void => {
    const { checked, issues } = frontEnd.check(text);
    if (checked === undefined) {
      assert.ok(issues.length > 0, text);
      counts.invalid++;
      return;
    }
    const { declarations } = frontEnd;
    const context = { source: text, declarations };
    const program = createProgram(checked, { ...context, options });
    const found = program.evaluate(bindings, { costLimit });
    const reference = evaluateByReference(checked, declarations, { bindings, costLimit });
    const expected = outcomeText(reference);
    assert.equal(outcomeText(found), expected, text);
    // A call is charged for when it ran, so the last one may exceed the limit.
    const chargeMax = Math.max(reference.chargeMax, blockCost);
    assert.ok(found.cost <= costLimit + chargeMax, `${text} cost ${found.cost}`);
    if (found.cost > 1) {
      const half = Math.floor(found.cost / 2);
      const stopped = program.evaluate(bindings, { costLimit: half });
      assert.equal(outcomeText(stopped), 'given up', text);
      assert.ok(stopped.cost <= half + chargeMax, `${text} cost ${stopped.cost} of ${half}`);
    }
    const folding = createProgram(checked, {
      ...context,
      options: { ...options, foldConstants: true },
    });
    const folded = folding.evaluate(bindings, { costLimit });
    assert.ok(folded.cost <= found.cost, `${text} cost ${folded.cost}, unfolded ${found.cost}`);
    if (expected === 'given up') counts.givenUp++;
    else {
      const isSame = describeResult(folded.result) === describeResult(found.result);
      // COMPAT: nothing is in an empty list that is folded, not even an error.
      assert.ok(isSame || / in \(\[\]\)/.test(text), `${text} folded`);
      counts[isError(found.result) ? 'failed' : 'values']++;
    }
  };

  it('agree with the reference', { timeout: 600_000 }, (context) => {
    for (let i = 0; i < expressions; i++) attempt(next());
    context.diagnostic(`${expressions} expressions with seed ${seed}: ${JSON.stringify(counts)}`);
    // The comparison says something only if enough of them are of every sort.
    assert.ok(counts.values > expressions / 5, 'too few give values');
    assert.ok(counts.failed > expressions / 20, 'too few fail');
    assert.ok(counts.invalid > expressions / 20, 'too few are invalid');
  });
});
