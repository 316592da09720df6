// One pass over expressions of a policy: each in turn, on one budget, with variables that are
// computed when they are first used and once for the pass.
// COMPAT: texts are kube-apiserver's.

import { celError, isError, type CelObject, type CelResult, type Program } from '@keelson/cel';
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
}

export interface Pass {
  readonly expressions: readonly (PolicyExpression | undefined)[];
  readonly bindings: PolicyVariables;
  /** Variables of the policy, which the expressions use as `variables.<name>`. */
  readonly variables?: ReadonlyMap<string, NamedExpression>;
  readonly budget: number;
}

/** What one evaluation may cost. */
const callCostMax = 1_000_000;

const outOfBudget =
  'validation failed due to running out of cost budget, no further validation rules will be run';

export function runPass({ expressions, bindings, variables, budget }: Pass): PassResult {
  const composed = variables && createComposition(variables, bindings);
  const known = composed === undefined ? bindings : { ...bindings, variables: composed.value };
  const outcomes: Outcome[] = [];
  let remaining = budget;
  for (const one of expressions) {
    const { outcome, cost } = evaluate(one, known);
    remaining -= cost + (composed?.takeCost() ?? 0);
    if (remaining < 0) return { outcomes: [], remaining: -1, exhausted: outOfBudget };
    outcomes.push(outcome);
  }
  return { outcomes, remaining };
}

function evaluate(
  one: PolicyExpression | undefined,
  bindings: PolicyVariables,
): { readonly outcome: Outcome; readonly cost: number } {
  if (one === undefined) return { outcome: undefined, cost: 0 };
  if (one.program === undefined) {
    return { outcome: { error: `compilation error: ${one.problem}` }, cost: 0 };
  }
  const { result, cost } = one.program.evaluate(bindings, { costLimit: callCostMax });
  if (!isError(result)) return { outcome: { value: result }, cost };
  const error = `expression '${one.expression}' resulted in error: ${result.message}`;
  return { outcome: { error }, cost };
}

interface Composition {
  readonly value: CelObject;
  /** What variables have cost since the last call. */
  takeCost(): number;
}

/** A variable may use those before it: they cannot go in circles. */
function createComposition(
  variables: ReadonlyMap<string, NamedExpression>,
  bindings: PolicyVariables,
): Composition {
  const computed = new Map<string, CelResult>();
  let spent = 0;
  const value: CelObject = {
    kind: 'object',
    type: variablesType,
    get(name) {
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
    const { result, cost } = variable.program.evaluate(all, { costLimit: callCostMax });
    spent += cost;
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
  };
}
