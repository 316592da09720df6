/**
 * How functions, macros and types are added to an environment. A library is plain data: the same
 * object can be part of many environments, and the order of libraries decides only between
 * overloads that both match.
 */

import type { CheckedExpression } from '../checker/checked-expression.ts';
import type { CallCost, CallEstimator } from '../cost/cost.ts';
import type { Macro } from '../macros/macro.ts';
import type { CelType } from '../types/type.ts';
import type { TypeProvider } from '../types/type-provider.ts';
import type { CelResult, CelValue } from '../values/value.ts';

/** One signature of a function. */
export interface Overload {
  /** Unique among all functions of an environment, such as `string_index_of_string`. */
  readonly id: string;
  /** Whether it is written `receiver.f(…)`; then the first parameter is the receiver. */
  readonly isMember: boolean;
  readonly parameters: readonly CelType[];
  readonly result: CelType;
  /**
   * Computes the result. It is only called with values whose run-time types match `parameters`, so
   * it may declare narrower parameters than `CelValue`. It must not throw for any input: failures
   * are `CelError` values. What it does throw is not caught, and leaves `Program.evaluate`.
   */
  readonly invoke: (...values: never[]) => CelResult;
  /** Estimates the cost beside that of the arguments; otherwise 1. */
  readonly estimate?: CallEstimator;
  /** Counts the cost of a call that ran; otherwise 1. */
  readonly cost?: CallCost;
}

/**
 * A function: a name, and what it takes. Libraries may add overloads to functions of other
 * libraries.
 */
export interface FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
}

/** A name with a fixed value, such as the type identifier `net.IP`. */
export interface ConstantDeclaration {
  readonly name: string;
  readonly type: CelType;
  readonly value: CelValue;
}

/** Something wrong with an expression that type-checks. */
export interface ValidationProblem {
  /** The node to point at. */
  readonly expressionId: number;
  readonly message: string;
}

/** Looks for what can only fail, in a tree that type-checks. */
export type Validator = (checked: CheckedExpression) => readonly ValidationProblem[];

/** Something to add to an environment. */
export interface Library {
  /** Unique; an environment takes a library of the same name only once. */
  readonly name: string;
  readonly functions?: readonly FunctionDeclaration[];
  readonly macros?: readonly Macro[];
  readonly constants?: readonly ConstantDeclaration[];
  readonly types?: readonly TypeProvider[];
  readonly validators?: readonly Validator[];
}

/** A function declaration, in one line. */
export function declareFunction(name: string, ...overloads: Overload[]): FunctionDeclaration {
  return { name, overloads };
}

type OverloadRest = Pick<Overload, 'estimate' | 'cost'>;

/** An overload called as `f(a, b)`. */
export function globalOverload(
  id: string,
  signature: readonly [parameters: readonly CelType[], result: CelType],
  invoke: Overload['invoke'],
  rest: OverloadRest = {},
): Overload {
  return { id, isMember: false, parameters: signature[0], result: signature[1], invoke, ...rest };
}

/** An overload called as `a.f(b)`; the receiver is the first parameter. */
export function memberOverload(
  id: string,
  signature: readonly [parameters: readonly CelType[], result: CelType],
  invoke: Overload['invoke'],
  rest: OverloadRest = {},
): Overload {
  return { id, isMember: true, parameters: signature[0], result: signature[1], invoke, ...rest };
}
