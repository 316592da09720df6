/**
 * Runs tables of expressions: what they give, or what is wrong with them.
 */

import assert from 'node:assert/strict';
import { formatIssues, isError, isList, isMap, isOptional, kindOf } from '../src/index.ts';
import type { Bindings, CelResult, Environment } from '../src/index.ts';

/** A row: an expression and the literal that it gives, as `describeResult` prints it. */
export type ExpressionRow = readonly [expression: string, expected: string];

/** Checks rows against what they give; compile errors print as their first message. */
export function assertResults(
  environment: Environment,
  rows: readonly ExpressionRow[],
  bindings: Bindings = {},
): void {
  const found = rows.map(([expression]) => [
    expression,
    evaluateText(environment, expression, bindings),
  ]);
  assert.deepEqual(found, rows);
}

/** What an expression gives, in words. */
export function evaluateText(
  environment: Environment,
  expression: string,
  bindings: Bindings = {},
): string {
  const { program, issues } = environment.compile(expression);
  if (program === undefined) return issues.map((issue) => issue.message).join('; ');
  return describeResult(program.evaluate(bindings, { costLimit: 10_000_000 }).result);
}

/** All that is wrong with an expression, as users see it. */
export function issuesText(environment: Environment, expression: string): string {
  const { issues } = environment.compile(expression);
  return issues === undefined ? 'no issues' : formatIssues(expression, issues);
}

/** A result as a literal of the language, or its error. */
export function describeResult(result: CelResult): string {
  if (isError(result)) return `error: ${result.message}`;
  if (typeof result === 'string') return JSON.stringify(result);
  if (isList(result)) {
    const parts = Array.from({ length: result.size }, (_, index) =>
      describeResult(result.get(index)),
    );
    return `[${parts.join(', ')}]`;
  }
  if (isMap(result)) {
    const parts = [...result.keys()].map(
      (key) => `${describeResult(key)}: ${describeResult(result.get(key) ?? null)}`,
    );
    return `{${parts.join(', ')}}`;
  }
  if (isOptional(result)) {
    return result.value === undefined ? 'none' : `optional(${describeResult(result.value)})`;
  }
  return describeScalar(result);
}

function describeScalar(result: Exclude<CelResult, string>): string {
  if (typeof result === 'number') return Number.isInteger(result) ? `${result}.0` : String(result);
  if (result === null || typeof result !== 'object') return String(result);
  if (result instanceof Uint8Array) return `b${JSON.stringify(new TextDecoder().decode(result))}`;
  switch (result.kind) {
    case 'uint':
      return `${result.value}u`;
    case 'duration':
    case 'timestamp':
      return `${result.kind}(${result.nanoseconds})`;
    case 'type':
      return `type ${result.type.name}`;
    default:
      return kindOf(result);
  }
}
