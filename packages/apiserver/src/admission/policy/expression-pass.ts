// One pass over expressions of a policy: each in turn, on one budget, with variables that are
// computed when they are first used and once for the pass.
// COMPAT: texts are kube-apiserver's.

import {
  celError,
  isError,
  type Bindings,
  type CelObject,
  type CelResult,
  type ExplainedPart,
  type Program,
} from '@keelson/cel';
import { variablesType } from '../../registry/expressions/admission-environment.ts';
import type { PolicyVariables } from './policy-inputs.ts';

/** An expression as it was compiled, or why it does not compile. */
export interface PolicyExpression {
  readonly expression: string;
  readonly program?: Program;
  readonly problem?: string;
}

export interface NamedExpression extends PolicyExpression {
  readonly name: string;
}

/** What one expression evaluated to; undefined for one that is not given. */
export type Outcome = { readonly value: CelResult } | { readonly error: string } | undefined;

export interface PassResult {
  readonly outcomes: readonly Outcome[];
  /** What is left of the budget; when it is used up, `exhausted` says so instead. */
  readonly remaining: number;
  readonly exhausted?: string;
  /** Runs parallel to the expressions that were evaluated; empty unless `explain` was asked for. */
  readonly explanations: readonly (ExplainedExpression | undefined)[];
}

/** Why an expression gave what it gave. */
export interface ExplainedExpression {
  readonly expression: string;
  readonly result: CelResult;
  readonly parts: readonly ExplainedPart[];
  /** The variables of the policy that it used, and those that they used. */
  readonly variables: readonly ExplainedVariable[];
}
export interface ExplainedVariable {
  readonly name: string;
  readonly expression: string;
  readonly parts: readonly ExplainedPart[];
}

export interface Pass {
  readonly expressions: readonly (PolicyExpression | undefined)[];
  readonly bindings: PolicyVariables;
  /** Variables of the policy, which the expressions use as `variables.<name>`. */
  readonly variables?: ReadonlyMap<string, NamedExpression>;
  readonly budget: number;
  /** Costs time; the outcomes and costs are the same. */
  readonly explain?: boolean;
}

/** What one evaluation may cost. */
const callCostMax = 1_000_000;

const outOfBudget =
  'validation failed due to running out of cost budget, no further validation rules will be run';

export function runPass({ expressions, bindings, variables, budget, explain }: Pass): PassResult {
  const evaluate: Evaluate = explain === true ? explainProgram : evaluateProgram;
  const composed = variables && createComposition(variables, bindings, evaluate);
  const known = composed === undefined ? bindings : { ...bindings, variables: composed.value };
  const outcomes: Outcome[] = [];
  const explanations: (ExplainedExpression | undefined)[] = [];
  let remaining = budget;
  for (const one of expressions) {
    const { outcome, cost, parts } = evaluateOne(one, known, evaluate);
    remaining -= cost + (composed?.takeCost() ?? 0);
    if (explain === true) {
      const used = composed?.takeUsed() ?? [];
      explanations.push(outcome && one && explanationOf(one, outcome, { parts, variables: used }));
    }
    if (remaining < 0) return { outcomes: [], remaining: -1, exhausted: outOfBudget, explanations };
    outcomes.push(outcome);
  }
  return { outcomes, remaining, explanations };
}

interface Evaluated {
  readonly result: CelResult;
  readonly cost: number;
  readonly parts?: readonly ExplainedPart[];
}
type Evaluate = (program: Program, bindings: Bindings) => Evaluated;

const evaluateProgram: Evaluate = (program, bindings) =>
  program.evaluate(bindings, { costLimit: callCostMax });
const explainProgram: Evaluate = (program, bindings) =>
  program.explain(bindings, { costLimit: callCostMax });

interface EvaluatedExpression {
  readonly outcome: Outcome;
  readonly cost: number;
  readonly parts?: readonly ExplainedPart[];
}

function evaluateOne(
  one: PolicyExpression | undefined,
  bindings: PolicyVariables,
  evaluate: Evaluate,
): EvaluatedExpression {
  if (one === undefined) return { outcome: undefined, cost: 0 };
  if (one.program === undefined) {
    return { outcome: { error: `compilation error: ${one.problem}` }, cost: 0 };
  }
  const { result, ...rest } = evaluate(one.program, bindings);
  if (!isError(result)) return { outcome: { value: result }, ...rest };
  const error = `expression '${one.expression}' resulted in error: ${result.message}`;
  return { outcome: { error }, ...rest };
}

function explanationOf(
  { expression }: PolicyExpression,
  outcome: NonNullable<Outcome>,
  {
    parts = [],
    variables,
  }: Partial<Pick<ExplainedExpression, 'parts'>> & Pick<ExplainedExpression, 'variables'>,
): ExplainedExpression {
  const result = 'value' in outcome ? outcome.value : celError(outcome.error);
  return { expression, result, parts, variables };
}

interface Composition {
  readonly value: CelObject;
  /** What variables have cost since the last call. */
  takeCost(): number;
  /** Which variables were used since the last call; only where evaluation explains. */
  takeUsed(): readonly ExplainedVariable[];
}

/** A variable may use those before it: they cannot go in circles. */
function createComposition(
  variables: ReadonlyMap<string, NamedExpression>,
  bindings: PolicyVariables,
  evaluate: Evaluate,
): Composition {
  const computed = new Map<string, CelResult>();
  const explained = new Map<string, ExplainedVariable>();
  let used = new Set<string>();
  let spent = 0;
  const value: CelObject = {
    kind: 'object',
    type: variablesType,
    get(name) {
      used.add(name);
      let result = computed.get(name);
      if (result === undefined) {
        result = compute(variables.get(name));
        computed.set(name, result);
      }
      return result;
    },
    has: (name) => variables.has(name),
    fields: () => variables.keys(),
  };
  const compute = (variable: NamedExpression | undefined): CelResult => {
    if (variable?.program === undefined) {
      const why = variable?.problem ?? 'no such variable';
      return celError(`composited variable "${variable?.name ?? ''}" fails to compile: ${why}`);
    }
    const all = { ...bindings, variables: value };
    const { result, cost, parts } = evaluate(variable.program, all);
    spent += cost;
    const { name, expression } = variable;
    if (parts !== undefined) explained.set(name, { name, expression, parts });
    if (!isError(result)) return result;
    return celError(`composited variable "${variable.name}" fails to evaluate: ${result.message}`);
  };
  return {
    value,
    takeCost() {
      const cost = spent;
      spent = 0;
      return cost;
    },
    takeUsed() {
      const names = [...used];
      used = new Set();
      return names.flatMap((name) => explained.get(name) ?? []);
    },
  };
}
