// What Kubernetes finds wrong with an expression that compiles, when it makes a program of it:
// constant conversions (`bool("yes")`) are computed and constant patterns (`x.find("[")`) compiled.
// COMPAT: it is told apart from a compilation that failed.

import { childrenOf } from '../checker/walk-expression.ts';
import type { Expression } from '../ast/expression.ts';
import { compileRegex } from '../library/regex.ts';
import type { Program } from '../program.ts';

const searches: ReadonlySet<string> = new Set(['find', 'findAll']);

/** The text of the problem; undefined when the program can be used. */
export function instantiationProblem(program: Program): string | undefined {
  return program.instantiationError?.message ?? patternProblem(program.expression);
}

function patternProblem(expression: Expression): string | undefined {
  for (const child of childrenOf(expression)) {
    const problem = patternProblem(child);
    if (problem !== undefined) return problem;
  }
  if (expression.kind !== 'call' || !searches.has(expression.function)) return undefined;
  const [pattern] = expression.arguments;
  if (pattern?.kind !== 'constant' || typeof pattern.value !== 'string') return undefined;
  const regex = compileRegex(pattern.value);
  return typeof regex === 'string' ? regex : undefined;
}
