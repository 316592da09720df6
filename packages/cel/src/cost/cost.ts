/**
 * The cost of an evaluation, in the unit that cel-go and Kubernetes use: about one simple
 * operation. Before a run it is a range, computed from the tree and from bounds on the sizes of the
 * inputs; during a run it is counted.
 *
 * Costs and sizes are uint64 there and doubles here: exact up to 2^53, and limited to 2^64 as the
 * type is.
 */

import type { Expression } from '../ast/expression.ts';
import type { CelType } from '../types/type.ts';
import type { CelResult, CelValue } from '../values/value.ts';

/** A range of costs, both ends included. */
export interface CostEstimate {
  readonly min: number;
  readonly max: number;
}

/** A range of sizes: code points of a string, length of bytes, entries of a list or map. */
export interface SizeEstimate {
  readonly min: number;
  readonly max: number;
}

/** A node of the tree, as estimators see it. */
export interface EstimatedNode {
  /**
   * The way from a variable to this value: `['self', 'spec', '@items']`. Elements are `@items`,
   * their indices `@indices`, keys `@keys`, values `@values`. Undefined when the value was
   * computed.
   */
  readonly path: readonly string[] | undefined;
  readonly type: CelType;
  readonly expression: Expression;
  /** The size, where the tree alone tells it (literals, results of estimated calls). */
  readonly computedSize: SizeEstimate | undefined;
}

/** What a call costs beside its arguments, and how large its result is, if that is known. */
export interface CallEstimate {
  readonly cost: CostEstimate;
  readonly resultSize?: SizeEstimate;
}

/** What an estimator of one overload can use. */
export interface CallContext {
  readonly function: string;
  readonly overloadId: string;
  readonly target: EstimatedNode | undefined;
  readonly arguments: readonly EstimatedNode[];
  /**
   * The size of a node: computed, else from the size estimator, else from 1 for scalars, else 0 to
   * 2^64.
   */
  sizeOf(node: EstimatedNode): SizeEstimate;
}

/** Estimates one overload. Undefined leaves the call to the next estimator. */
export type CallEstimator = (call: CallContext) => CallEstimate | undefined;

/**
 * Counts one call after it ran. `arguments` starts with the receiver. Undefined leaves the call to
 * the default.
 */
export type CallCost = (call: {
  readonly function: string;
  /** Empty when only the values told which overload it is, and the expression did not. */
  readonly overloadId: string;
  readonly arguments: readonly CelValue[];
  readonly result: CelResult;
}) => number | undefined;

/** What the embedder knows about its variables. */
export interface CostEstimator {
  /** Bounds of a variable or of something in it, by `node.path`; undefined when there are none. */
  estimateSize(node: EstimatedNode): SizeEstimate | undefined;
  /** Asked for calls whose overloads do not know their own cost. */
  estimateCall?: CallEstimator;
}
