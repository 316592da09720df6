/**
 * A compiled expression, as its users see it.
 */

import type { Expression } from './ast/expression.ts';
import type { CostEstimate, CostEstimator } from './cost/cost.ts';
import type { NodeTable } from './ast/node-table.ts';
import type { CelType } from './types/type.ts';
import type { CelError, CelResult } from './values/value.ts';

/**
 * The variables of one evaluation: a record, or a function that is asked at most once per use and
 * answers undefined for names it does not have. A variable may be an error; it then fails where it
 * is used.
 */
export type Bindings =
  | Readonly<Record<string, CelResult>>
  | ((name: string) => CelResult | undefined);

/** Limits of one evaluation. */
export interface EvaluationOptions {
  /**
   * Evaluation ends with `operation cancelled: actual cost limit exceeded` when it has cost more.
   */
  readonly costLimit?: number;
  /**
   * Checked every `interruptionCheckFrequency` iterations; the error is `operation interrupted`.
   */
  readonly signal?: { readonly aborted: boolean };
}

/** How an evaluation ended. */
export interface Evaluation {
  readonly result: CelResult;
  /** What it cost, also when it failed. */
  readonly cost: number;
}

/** A part of an expression, with the value that it had. */
export interface ExplainedPart {
  /** The part as source text, on one line. */
  readonly text: string;
  readonly value: CelResult;
  /** Where it stands: lines from 1, columns from 0. */
  readonly line: number;
  readonly column: number;
}

/** An evaluation with its reasons. */
export interface Explanation extends Evaluation {
  /**
   * What made the result what it is: of a comparison its sides, of `all` the element that failed.
   */
  readonly parts: readonly ExplainedPart[];
}

/** A checked expression that can be evaluated any number of times. It has no state. */
export interface Program {
  readonly source: string;
  readonly resultType: CelType;
  readonly expression: Expression;
  /** Types of the nodes by id. */
  readonly types: NodeTable<CelType>;
  /** Names of the variables that the expression uses, as they are declared. */
  readonly variables: ReadonlySet<string>;
  /**
   * Why the program can only fail: a constant conversion or pattern in it does. Only with
   * `foldConstants`.
   */
  readonly instantiationError: CelError | undefined;
  evaluate(bindings: Bindings, options?: EvaluationOptions): Evaluation;
  /** Evaluates as `evaluate` does, at the same cost, and says which parts decided. Slower. */
  explain(bindings: Bindings, options?: EvaluationOptions): Explanation;
  /**
   * The range that `Evaluation.cost` lies in, given what the estimator knows about the sizes of the
   * variables.
   */
  estimateCost(estimator?: CostEstimator): CostEstimate;
}
