/**
 * From a checked tree to a program: the place where planning, evaluation and costs meet.
 */

import type { Expression } from './ast/expression.ts';
import type { NodeTable } from './ast/node-table.ts';
import type { CheckedExpression } from './checker/checked-expression.ts';
import type { Declarations } from './checker/declarations.ts';
import type { CostEstimate, CostEstimator } from './cost/cost.ts';
import { estimateExpressionCost } from './cost/estimate-expression-cost.ts';
import type { EnvironmentOptions } from './environment.ts';
import { decidingParts } from './explanation/deciding-parts.ts';
import { EvaluationCancelled, Frame } from './interpreter/frame.ts';
import type { Evaluator, FrameLimits } from './interpreter/frame.ts';
import { planExpression } from './interpreter/plan.ts';
import type { Plan } from './interpreter/plan.ts';
import { positionAt } from './parser/source-positions.ts';
import type { Bindings, Evaluation, EvaluationOptions, Explanation, Program } from './program.ts';
import { celTypes, type CelType } from './types/type.ts';
import { fatalError } from './values/error.ts';
import type { CelError, CelResult } from './values/value.ts';

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
  return new CheckedProgram(checked, context);
}

// A class because of its accessor: an object literal with one has a hidden class of its own, which
// keeps everything that the accessor sees until the next full garbage collection.
class CheckedProgram implements Program {
  readonly source: string;
  readonly expression: Expression;
  readonly types: NodeTable<CelType>;
  readonly variables: ReadonlySet<string>;
  readonly resultType: CelType;
  readonly #checked: CheckedExpression;
  readonly #context: ProgramContext;
  // Many expressions are checked and never run, so planning waits for the first run.
  #planned: (Plan & FrameLimits) | undefined;
  #observed: Plan | undefined;

  constructor(checked: CheckedExpression, context: ProgramContext) {
    this.source = context.source;
    this.expression = checked.expression;
    this.types = checked.types;
    this.variables = checked.variables;
    this.resultType = checked.types.get(checked.expression.id) ?? celTypes.dyn;
    this.#checked = checked;
    this.#context = context;
  }

  get #interruptionCheckFrequency(): number {
    return this.#context.options.interruptionCheckFrequency ?? defaultCheckFrequency;
  }

  #planExpression(observed: boolean): Plan {
    const { declarations, options } = this.#context;
    return planExpression(this.#checked, {
      declarations,
      freePresenceTests: options.freePresenceTests === true,
      costs: options.costs,
      foldConstants: options.foldConstants === true,
      observed,
    });
  }

  #plan(): Plan & FrameLimits {
    const interruptionCheckFrequency = this.#interruptionCheckFrequency;
    return (this.#planned ??= { ...this.#planExpression(false), interruptionCheckFrequency });
  }

  get instantiationError(): CelError | undefined {
    return this.#plan().failure;
  }

  evaluate(bindings: Bindings, evaluationOptions: EvaluationOptions = noOptions): Evaluation {
    const limits = this.#planned ?? this.#plan();
    return run(limits.evaluator, new Frame(bindings, evaluationOptions, limits));
  }

  explain(bindings: Bindings, evaluationOptions: EvaluationOptions = noOptions): Explanation {
    const { source } = this;
    const { expression, offsets } = this.#checked;
    this.#observed ??= this.#planExpression(true);
    const observations = new Map<number, CelResult>();
    const limits = {
      interruptionCheckFrequency: this.#interruptionCheckFrequency,
      observations,
    };
    const { evaluator } = this.#observed;
    const evaluation = run(evaluator, new Frame(bindings, evaluationOptions, limits));
    const parts = decidingParts(expression, observations).map(({ id, text, value }) => ({
      text,
      value,
      ...positionAt(source, offsets.get(id) ?? 0),
    }));
    return { ...evaluation, parts };
  }

  estimateCost(estimator?: CostEstimator): CostEstimate {
    const { declarations, options } = this.#context;
    return estimateExpressionCost(this.#checked, {
      declarations,
      freePresenceTests: options.freePresenceTests === true,
      estimator,
      estimateCall: options.costs?.estimate,
    });
  }
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
