/**
 * From a checked tree to a program: the place where planning, evaluation and costs meet.
 */

import type { CheckedExpression } from './checker/checked-expression.ts';
import type { Declarations } from './checker/declarations.ts';
import { estimateExpressionCost } from './cost/estimate-expression-cost.ts';
import type { EnvironmentOptions } from './environment.ts';
import { decidingParts } from './explanation/deciding-parts.ts';
import { EvaluationCancelled, Frame } from './interpreter/frame.ts';
import type { Evaluator, FrameLimits } from './interpreter/frame.ts';
import { planExpression } from './interpreter/plan.ts';
import type { Plan } from './interpreter/plan.ts';
import { positionAt } from './parser/source-positions.ts';
import type { Evaluation, EvaluationOptions, Program } from './program.ts';
import { celTypes } from './types/type.ts';
import { fatalError } from './values/error.ts';
import type { CelResult } from './values/value.ts';

/** How often a running evaluation looks at its signal, unless told otherwise. */
const defaultCheckFrequency = 100;

const noOptions: EvaluationOptions = {};

/** What a program takes from its environment. */
export interface ProgramContext {
  readonly source: string;
  readonly declarations: Declarations;
  readonly options: EnvironmentOptions;
}

/** The program of a checked tree. */
export function createProgram(checked: CheckedExpression, context: ProgramContext): Program {
  const { source, declarations, options } = context;
  const freePresenceTests = options.freePresenceTests === true;
  const interruptionCheckFrequency = options.interruptionCheckFrequency ?? defaultCheckFrequency;
  const planOptions = {
    declarations,
    freePresenceTests,
    costs: options.costs,
    foldConstants: options.foldConstants === true,
  };
  // Many expressions are checked and never run, so planning waits for the first run.
  let planned: (Plan & FrameLimits) | undefined;
  const plan = (): Plan & FrameLimits => {
    planned ??= { ...planExpression(checked, planOptions), interruptionCheckFrequency };
    return planned;
  };
  let observed: Plan | undefined;
  return {
    source,
    resultType: checked.types.get(checked.expression.id) ?? celTypes.dyn,
    expression: checked.expression,
    types: checked.types,
    variables: checked.variables,
    get instantiationError() {
      return plan().failure;
    },
    evaluate: (bindings, evaluationOptions = noOptions) => {
      const limits = planned ?? plan();
      return run(limits.evaluator, new Frame(bindings, evaluationOptions, limits));
    },
    explain: (bindings, evaluationOptions = noOptions) => {
      observed ??= planExpression(checked, { ...planOptions, observed: true });
      const observations = new Map<number, CelResult>();
      const limits = { interruptionCheckFrequency, observations };
      const evaluation = run(observed.evaluator, new Frame(bindings, evaluationOptions, limits));
      const parts = decidingParts(checked.expression, observations).map(({ id, text, value }) => ({
        text,
        value,
        ...positionAt(source, checked.offsets.get(id) ?? 0),
      }));
      return { ...evaluation, parts };
    },
    estimateCost: (estimator) =>
      estimateExpressionCost(checked, {
        declarations,
        freePresenceTests,
        estimator,
        estimateCall: options.costs?.estimate,
      }),
  };
}

function run(evaluator: Evaluator, frame: Frame): Evaluation {
  try {
    const result = evaluator(frame);
    return { result, cost: frame.cost };
  } catch (error) {
    if (error instanceof EvaluationCancelled) {
      return { result: fatalError(error.message), cost: frame.cost };
    }
    // SECURITY: what JavaScript itself refuses (too long a string, too deep a stack) must not end
    // the caller.
    if (!(error instanceof RangeError)) throw error;
    return { result: fatalError('operation cancelled: value too large'), cost: frame.cost };
  }
}
